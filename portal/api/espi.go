package api

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/meterkey/meterkey/internal/store"
)

// espiPath is where Green Button's resources begin: NAESB REQ.21, Energy Services Provider Interface 1.1.
const espiPath = "/DataCustodian/espi/1_1/resource"

const (
	atomNamespace = "http://www.w3.org/2005/Atom"
	atomTime      = time.RFC3339Nano
)

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
	Type string `xml:"type,attr"`
}

type atomEntry struct {
	XMLName   xml.Name    `xml:"http://www.w3.org/2005/Atom entry"`
	ID        string      `xml:"id"`
	Links     []atomLink  `xml:"link"`
	Title     string      `xml:"title"`
	Content   atomContent `xml:"content"`
	Published string      `xml:"published"`
	Updated   string      `xml:"updated"`
}

type atomContent struct {
	Type       string `xml:"type,attr"`
	UsagePoint usagePoint
}

// usagePoint is a meter without anything that leads to a person: no address, no account or meter number.
type usagePoint struct {
	XMLName              xml.Name              `xml:"http://naesb.org/espi UsagePoint"`
	ServiceCategory      *serviceCategory      `xml:"ServiceCategory,omitempty"`
	Status               *int                  `xml:"status,omitempty"`
	ServiceDeliveryPoint *serviceDeliveryPoint `xml:"ServiceDeliveryPoint,omitempty"`
}

type serviceCategory struct {
	Kind int `xml:"kind"`
}

type serviceDeliveryPoint struct {
	TariffProfile string `xml:"tariffProfile"`
}

type usagePointInput struct {
	ByUID
	Meter string `path:"meter" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" doc:"The meter's uid."`
}

func (a *API) usagePointsLink() string { return a.link(Prefix + espiPath + "/UsagePoint") }

func (a *API) subscriptionLink(authorization string) string {
	return a.link(Prefix + espiPath + "/Subscription/" + authorization + "/UsagePoint")
}

func (a *API) allUsagePoints(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	pages, err := a.meterPages(ctx, store.MeterFilter{Requester: requesterOf(ctx)}, false)
	if err != nil {
		return nil, err
	}
	return a.usagePointFeed(ctx, a.usagePointsLink(), requesterOf(ctx), pages), nil
}

func (a *API) subscriptionUsagePoints(ctx context.Context, in *ByUID) (*huma.StreamResponse, error) {
	pages, err := a.authorizedPages(ctx, in.UID)
	if err != nil {
		return nil, err
	}
	return a.usagePointFeed(ctx, a.subscriptionLink(in.UID), in.UID, pages), nil
}

func (a *API) usagePoint(ctx context.Context, in *usagePointInput) (*huma.StreamResponse, error) {
	meter, err := a.Store.Meter(ctx, requesterOf(ctx), in.Meter)
	if errors.Is(err, store.ErrNotFound) || err == nil && meter.AuthorizationUID != in.UID {
		return nil, notFound("meter")
	}
	if err != nil {
		return nil, err
	}
	return a.stream(ctx, formatAtom+";type=entry", func(w io.Writer) error {
		out, err := beginXML(w)
		if err != nil {
			return err
		}
		return errors.Join(out.Encode(a.usagePointEntry(meter)), out.Close())
	}), nil
}

// usagePointFeed answers with meters as an Atom feed. Owner is whose meters they are: the feed's id is made of it.
func (a *API) usagePointFeed(ctx context.Context, self, owner string, pages meterPages) *huma.StreamResponse {
	return a.stream(ctx, formatAtom, func(w io.Writer) error { return a.writeFeed(w, self, owner, pages) })
}

func (a *API) writeFeed(w io.Writer, self, owner string, pages meterPages) error {
	out, err := beginXML(w)
	if err != nil {
		return err
	}
	feed := xml.StartElement{Name: xml.Name{Space: atomNamespace, Local: "feed"}}
	err = errors.Join(out.EncodeToken(feed), element(out, "id", atomID(owner)),
		out.EncodeElement(atomLink{"self", self, "espi-feed/UsagePoint"}, xml.StartElement{Name: xml.Name{Local: "link"}}),
		element(out, "title", "UsagePoint"), element(out, "updated", pages.updated.UTC().Format(atomTime)))
	for page, pageErr := range pages.all {
		if err = errors.Join(err, pageErr); err != nil {
			return fmt.Errorf("writing the feed: %w", err)
		}
		for _, m := range page {
			err = errors.Join(err, out.Encode(a.usagePointEntry(m)))
		}
	}
	return errors.Join(err, out.EncodeToken(feed.End()), out.Close())
}

func beginXML(w io.Writer) (*xml.Encoder, error) {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return nil, fmt.Errorf("writing the feed: %w", err)
	}
	out := xml.NewEncoder(w)
	out.Indent("", "  ")
	return out, nil
}

func element(out *xml.Encoder, name, text string) error {
	return out.EncodeElement(text, xml.StartElement{Name: xml.Name{Local: name}})
}

func (a *API) usagePointEntry(m store.Meter) atomEntry {
	feed := a.subscriptionLink(m.AuthorizationUID)
	when := m.Created.UTC().Format(atomTime)
	entry := atomEntry{ID: atomID(m.UID), Title: "UsagePoint", Published: when, Updated: when,
		Links: []atomLink{{"self", feed + "/" + m.UID, "espi-entry/UsagePoint"}, {"up", feed, "espi-feed/UsagePoint"}}}
	entry.Content.Type = "application/xml"
	entry.Content.UsagePoint.Status = espiStatus(m.Status)
	if kind, known := serviceKind(m.ServiceClass); known {
		entry.Content.UsagePoint.ServiceCategory = &serviceCategory{kind}
	}
	if m.Tariff != "" {
		entry.Content.UsagePoint.ServiceDeliveryPoint = &serviceDeliveryPoint{m.Tariff}
	}
	return entry
}

// atomID is the same for the same object for ever: a name-based UUID (version 5).
func atomID(uid string) string {
	return "urn:uuid:" + uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:meterkey:"+uid)).String()
}

// serviceKind is ESPI's number for a class of service. A class that the site does not show has none.
func serviceKind(class string) (kind int, known bool) {
	switch class {
	case "electric":
		return 0, true
	case "gas":
		return 1, true
	case "water":
		return 2, true
	}
	return 0, false
}

// espiStatus is 1 for a service that is on, 0 for one that is off, nil where the site's word says neither.
func espiStatus(word string) *int {
	off, on := 0, 1
	switch strings.ToLower(word) {
	case "active", "on", "open", "connected":
		return &on
	case "inactive", "off", "closed", "disconnected":
		return &off
	}
	return nil
}
