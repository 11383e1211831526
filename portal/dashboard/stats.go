package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/meterkey/meterkey/internal/store"
)

// plot is a figure: what a script draws, and the same numbers as a table.
type plot struct {
	ID, Title, Text string
	Empty           string // said instead, when there is nothing to draw
	Kind            string // lines or bars
	Values          string // JSON, see plotValues
	Columns         []string
	Lines           [][]string
	Open            bool // the table is shown at once
}

// plotValues is what plots.js draws. Labels name the bars; lines have Days instead, as Unix seconds.
type plotValues struct {
	Labels []string     `json:"labels,omitempty"`
	Days   []int64      `json:"days,omitempty"`
	Series []plotSeries `json:"series"`
}

type plotSeries struct {
	Name   string `json:"name"`
	Values []int  `json:"values"`
}

// statsPage is what the page of statistics shows.
type statsPage struct {
	Ranges []dayRange
	Plots  []plot
}

type dayRange struct {
	Days int
	Here bool
}

// ranges are the ranges to choose from, in days; the second one is shown first.
func ranges() []int { return []int{7, 30, 90} }

func chosenRange(r *http.Request) int {
	asked, err := strconv.Atoi(r.FormValue("days"))
	for _, days := range ranges() {
		if err == nil && days == asked {
			return days
		}
	}
	return ranges()[1]
}

func (h *dashboard) showStats(w http.ResponseWriter, r *http.Request, p person) error {
	days := chosenRange(r)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	span := store.Span{Requester: p.requester.UID, From: today.AddDate(0, 0, 1-days), To: today.AddDate(0, 0, 1)}
	connected, err := h.Store.ConnectedByDay(r.Context(), span)
	if err != nil {
		return err
	}
	funnel, err := h.Store.Funnel(r.Context(), span)
	if err != nil {
		return err
	}
	byUtility, err := h.Store.ByUtility(r.Context(), span)
	if err != nil {
		return err
	}
	shown := statsPage{}
	for _, n := range ranges() {
		shown.Ranges = append(shown.Ranges, dayRange{n, n == days})
	}
	for _, draw := range []func() (plot, error){
		func() (plot, error) { return connectedPlot(span, connected) },
		func() (plot, error) { return funnelPlot(funnel) },
		func() (plot, error) { return h.utilityPlot(byUtility) },
	} {
		drawn, err := draw()
		if err != nil {
			return err
		}
		shown.Plots = append(shown.Plots, drawn)
	}
	return h.write(w, r, &p, page{name: "stats", title: "Numbers", body: shown})
}

func (p plot) with(v plotValues) (plot, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return p, fmt.Errorf("encoding a plot: %w", err)
	}
	p.Values = string(text)
	return p, nil
}

// connectedPlot shows every day of the span, also those on which nobody was connected.
func connectedPlot(span store.Span, counted []store.DayCount) (plot, error) {
	drawn := plot{ID: "connected", Title: "Connected", Text: "Customers who became connected, by day (UTC).", Kind: "lines", Columns: []string{"Day", "Connected"}}
	byDay := map[string]int{}
	for _, day := range counted {
		byDay[day.Day.UTC().Format(time.DateOnly)] = day.Count
	}
	values := plotValues{Series: []plotSeries{{Name: "Connected"}}}
	for day := span.From; day.Before(span.To); day = day.AddDate(0, 0, 1) {
		n := byDay[day.Format(time.DateOnly)]
		values.Days = append(values.Days, day.Unix())
		values.Series[0].Values = append(values.Series[0].Values, n)
		drawn.Lines = append([][]string{{day.Format("2 Jan 2006"), thousands(n)}}, drawn.Lines...)
	}
	if len(counted) == 0 {
		drawn.Empty = "Nobody was connected in these days."
	}
	return drawn.with(values)
}

// funnelPlot shows where requests stop.
func funnelPlot(f store.Funnel) (plot, error) {
	drawn := plot{ID: "funnel", Title: "Where requests stop", Text: "Of the requests made in these days, how many got how far. A code is asked for by some utilities only.",
		Kind: "bars", Columns: []string{"Step", "Requests", "Of all sent"}}
	values := plotValues{Series: []plotSeries{{Name: "Requests"}}}
	for _, step := range []struct {
		name  string
		count int
	}{{"Sent", f.Sent}, {"Opened", f.Opened}, {"Signed in", f.SignedIn}, {"Code asked", f.CodeAsked}, {"Connected", f.Connected}} {
		values.Labels = append(values.Labels, step.name)
		values.Series[0].Values = append(values.Series[0].Values, step.count)
		drawn.Lines = append(drawn.Lines, []string{step.name, thousands(step.count), share(step.count, f.Sent)})
	}
	if f.Sent == 0 {
		drawn.Empty = "No request was made in these days."
	}
	return drawn.with(values)
}

// utilitiesDrawn is how many utilities have bars; the table has all.
const utilitiesDrawn = 8

func (h *dashboard) utilityPlot(counted []store.UtilityCount) (plot, error) {
	drawn := plot{ID: "utilities", Title: "By utility", Text: "Requests made in these days, and how many of them are connected.",
		Kind: "bars", Columns: []string{"Utility", "Requests", "Connected", "Share"}}
	values := plotValues{Series: []plotSeries{{Name: "Requests"}, {Name: "Connected"}}}
	for i, u := range counted {
		short, name := u.Utility, h.utilityName(u.Utility)
		if u.Utility == "" {
			short, name = "None yet", "Not chosen yet"
		}
		drawn.Lines = append(drawn.Lines, []string{name, thousands(u.Sent), thousands(u.Connected), share(u.Connected, u.Sent)})
		if i < utilitiesDrawn {
			values.Labels = append(values.Labels, short)
			values.Series[0].Values = append(values.Series[0].Values, u.Sent)
			values.Series[1].Values = append(values.Series[1].Values, u.Connected)
		}
	}
	if len(counted) == 0 {
		drawn.Empty = "No request was made in these days."
	}
	return drawn.with(values)
}

// share is a part of all in per cent.
func share(part, all int) string {
	if all == 0 {
		return "–"
	}
	return strconv.Itoa((100*part+all/2)/all) + " %"
}
