package customer

import "net/http"

// show shows the page where the request stands.
func (p *pageRequest) show() error {
	if lang := knownLanguage(p.r.URL.Query().Get("lang")); lang != "" {
		keepLanguage(p.w, lang)
		return p.back()
	}
	if p.request.OpenedAt == nil {
		if err := p.Store.MarkOpened(p.r.Context(), p.request.UID); err != nil {
			return err
		}
	}
	return p.write(http.StatusOK)
}

// found answers a search while the customer types.
func (p *pageRequest) found() error {
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, page, err := p.model.draw()
	if err != nil {
		return err
	}
	page.Data = &p.model
	return p.pages.Draw(p.w, "choose", "found fragment", page)
}

func (p *pageRequest) askDecline() error {
	if !p.model.Declinable() {
		return p.back()
	}
	p.model.Declining, p.model.Live = true, false
	return p.write(http.StatusOK)
}

// goBack leads from the address of a form, opened by hand, to the page.
func (p *pageRequest) goBack() error { return p.back() }
