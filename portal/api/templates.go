package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// defaultTemplate is the uid of the one template that each requester has.
const defaultTemplate = "default"

// Template is what forms are made from. Each requester has one.
type Template struct {
	UID        string   `json:"uid" example:"default"`
	Created    Time     `json:"created"`
	IsArchived bool     `json:"is_archived"`
	IsDefault  bool     `json:"is_default"`
	Name       string   `json:"name" doc:"What customers read as the name of who asks."`
	UserEmail  string   `json:"user_email"`
	UserUID    string   `json:"user_uid"`
	Utilities  []string `json:"utilities" nullable:"false" doc:"The utilities that a form may name."`
}

// TemplateList is a page of templates.
type TemplateList struct {
	Templates []Template `json:"templates" nullable:"false"`
	Next      *string    `json:"next" format:"uri"`
}

func (a *API) registerTemplates() {
	register(a, huma.Operation{OperationID: "list-templates", Method: http.MethodGet, Path: "/templates", Tags: []string{"Templates"},
		Summary: "List templates", Description: "There is one, `default`."}, a.listTemplates)
	register(a, huma.Operation{OperationID: "get-template", Method: http.MethodGet, Path: "/templates/{uid}", Tags: []string{"Templates"},
		Summary: "Get a template"}, a.getTemplate)
}

func (a *API) listTemplates(ctx context.Context, _ *struct{}) (*answer[TemplateList], error) {
	return &answer[TemplateList]{TemplateList{Templates: []Template{a.template(ctx)}}}, nil
}

func (a *API) getTemplate(ctx context.Context, in *ByUID) (*answer[Template], error) {
	if in.UID != defaultTemplate {
		return nil, notFound("template")
	}
	return &answer[Template]{a.template(ctx)}, nil
}

// template is the caller's one template.
func (a *API) template(ctx context.Context) Template {
	requester := callerOf(ctx).requester
	t := Template{UID: defaultTemplate, Created: Time{requester.Created}, IsDefault: true, Name: requester.Name,
		UserEmail: requester.Email, UserUID: requester.UID, Utilities: []string{}}
	for _, u := range a.Utilities.All() {
		t.Utilities = append(t.Utilities, u.ID)
	}
	return t
}
