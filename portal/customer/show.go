package customer

import "net/http"

// show shows the page where the request stands.
func (v *visit) show() error {
	if lang := knownLanguage(v.r.URL.Query().Get("lang")); lang != "" {
		keepLanguage(v.w, lang)
		return v.back()
	}
	if v.request.OpenedAt == nil {
		if err := v.Store.MarkOpened(v.r.Context(), v.request.UID); err != nil {
			return err
		}
	}
	return v.write(http.StatusOK)
}

// found answers a search while the customer types.
func (v *visit) found() error {
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, page, err := v.sight.draw()
	if err != nil {
		return err
	}
	page.Data = &v.sight
	return v.pages.Draw(v.w, "choose", "found fragment", page)
}

func (v *visit) askDecline() error {
	if !v.sight.Declinable() {
		return v.back()
	}
	v.sight.Declining, v.sight.Live = true, false
	return v.write(http.StatusOK)
}

// goBack leads from the address of a form, opened by hand, to the page.
func (v *visit) goBack() error { return v.back() }
