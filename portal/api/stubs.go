package api

import "net/http"

func (a *API) registerForms()                      {}
func (a *API) registerAuthorizations()             {}
func (a *API) registerMeters()                     {}
func (a *API) serveDescription(mux *http.ServeMux) {}
