package dashboard

import (
	"net/http"
	"strings"

	"github.com/meterkey/meterkey/internal/store"
)

const (
	webhooksPath = "/dashboard/webhooks"
	// deliveriesShown is how many of a webhook's deliveries its page shows.
	deliveriesShown = 50
)

func (h *dashboard) routeWebhooks(mux *http.ServeMux) {
	mux.Handle("GET "+webhooksPath, h.signedIn(h.listWebhooks))
	mux.Handle("POST "+webhooksPath, h.signedIn(h.addWebhook))
	mux.Handle("GET "+webhooksPath+"/{uid}", h.signedIn(h.showWebhook))
	mux.Handle("GET "+webhooksPath+"/{uid}/delete", h.signedIn(h.confirmDeleteWebhook))
	mux.Handle("POST "+webhooksPath+"/{uid}/delete", h.signedIn(h.deleteWebhook))
	mux.Handle("POST "+webhooksPath+"/{uid}/enable", h.signedIn(h.switchWebhook(true)))
	mux.Handle("POST "+webhooksPath+"/{uid}/disable", h.signedIn(h.switchWebhook(false)))
	mux.Handle("POST "+webhooksPath+"/{uid}/ping", h.signedIn(h.pingWebhook))
	mux.Handle("POST "+webhooksPath+"/{uid}/deliveries/{delivery}", h.signedIn(h.redeliver))
}

// webhooksPage is what the page of webhooks shows.
type webhooksPage struct {
	Made     *made
	URL      field
	Webhooks []webhookRow
}

// webhookRow is a webhook with its latest delivery.
type webhookRow struct {
	store.Webhook
	Latest *store.Delivery
}

// deliveryBadge is how people read how a delivery went.
func deliveryBadge(s store.DeliveryStatus) badge {
	switch s {
	case store.DeliveryDelivered:
		return badge{"Delivered", toneGood}
	case store.DeliveryFailed:
		return badge{"Given up", toneFailed}
	case store.DeliveryPending:
	}
	return badge{"On its way", toneBusy}
}

func (h *dashboard) listWebhooks(w http.ResponseWriter, r *http.Request, p person) error {
	return h.writeWebhooks(w, r, p, http.StatusOK, webhooksPage{})
}

func (h *dashboard) writeWebhooks(w http.ResponseWriter, r *http.Request, p person, status int, shown webhooksPage) error {
	all, err := h.Store.Webhooks(r.Context(), p.requester.UID)
	if err != nil {
		return err
	}
	for _, hook := range all {
		latest, err := h.Store.Deliveries(r.Context(), p.requester.UID, hook.UID, 1)
		if err != nil {
			return err
		}
		row := webhookRow{Webhook: hook}
		if len(latest) > 0 {
			row.Latest = &latest[0]
		}
		shown.Webhooks = append(shown.Webhooks, row)
	}
	shown.URL.ID, shown.URL.Label, shown.URL.Type, shown.URL.Autocomplete, shown.URL.Required = "url", "Address", "url", "off", true
	shown.URL.Hint, shown.URL.Max = "Begins with https://", 1000
	return h.write(w, r, &p, page{name: "webhooks", title: "Webhooks", status: status, body: shown})
}

func (h *dashboard) addWebhook(w http.ResponseWriter, r *http.Request, p person) error {
	address := strings.TrimSpace(r.PostFormValue("url"))
	if err := h.Webhooks.Check(r.Context(), address); err != nil {
		return h.writeWebhooks(w, r, p, http.StatusUnprocessableEntity,
			webhooksPage{URL: field{Value: address, Mistake: upper(err.Error()) + "."}})
	}
	secret, sealed, err := h.Webhooks.NewSecret()
	if err != nil {
		return err
	}
	if _, err := h.Store.AddWebhook(r.Context(), store.Webhook{RequesterUID: p.requester.UID, URL: address, SecretSealed: sealed, Enabled: true}); err != nil {
		return err
	}
	return h.writeWebhooks(w, r, p, http.StatusOK, webhooksPage{Made: &made{address, secret}})
}

// webhookPage is what one webhook's page shows.
type webhookPage struct {
	store.Webhook
	Deliveries []store.Delivery
}

func (h *dashboard) showWebhook(w http.ResponseWriter, r *http.Request, p person) error {
	hook, err := h.Store.Webhook(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return err
	}
	deliveries, err := h.Store.Deliveries(r.Context(), p.requester.UID, hook.UID, deliveriesShown)
	if err != nil {
		return err
	}
	return h.write(w, r, &p, page{name: "webhook", title: "Webhook", body: webhookPage{hook, deliveries}})
}

func (h *dashboard) confirmDeleteWebhook(w http.ResponseWriter, r *http.Request, p person) error {
	hook, err := h.Store.Webhook(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return err
	}
	address := webhooksPath + "/" + hook.UID
	return h.write(w, r, &p, page{name: "confirm", title: "Delete the webhook?", body: confirmPage{
		Heading: "Delete the webhook?", Label: "Delete", Danger: true, Back: address, Action: address + "/delete",
		Text: hook.URL + " gets nothing any more, and its deliveries are forgotten. The events stay in the API."}})
}

func (h *dashboard) deleteWebhook(w http.ResponseWriter, r *http.Request, p person) error {
	if err := h.Store.DeleteWebhook(r.Context(), p.requester.UID, r.PathValue("uid")); err != nil {
		return err
	}
	done(w, r, webhooksPath, "webhook-deleted")
	return nil
}

func (h *dashboard) switchWebhook(on bool) handler {
	code := "webhook-off"
	if on {
		code = "webhook-on"
	}
	return func(w http.ResponseWriter, r *http.Request, p person) error {
		if _, err := h.Store.UpdateWebhook(r.Context(), p.requester.UID, r.PathValue("uid"), store.WebhookChange{Enabled: &on}); err != nil {
			return err
		}
		done(w, r, webhooksPath+"/"+r.PathValue("uid"), code)
		return nil
	}
}

func (h *dashboard) pingWebhook(w http.ResponseWriter, r *http.Request, p person) error {
	news, err := h.Store.PingWebhook(r.Context(), p.requester.UID, r.PathValue("uid"))
	if err != nil {
		return err
	}
	h.Webhooks.Deliver(r.Context(), news.Deliveries...)
	done(w, r, webhooksPath+"/"+r.PathValue("uid"), "pinged")
	return nil
}

func (h *dashboard) redeliver(w http.ResponseWriter, r *http.Request, p person) error {
	again, err := h.Webhooks.Redeliver(r.Context(), p.requester.UID, r.PathValue("delivery"))
	if err != nil {
		return err
	}
	done(w, r, webhooksPath+"/"+again.WebhookUID, "redelivered")
	return nil
}
