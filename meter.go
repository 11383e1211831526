package meterkey

// Meter is one line of the meter list. What the site does not show is absent.
type Meter struct {
	AccountNumber     string `json:"account_number,omitempty"`
	MeterNumber       string `json:"meter_number,omitempty"`
	ServiceIdentifier string `json:"service_identifier,omitempty"`
	ServiceAddress    string `json:"service_address,omitempty"`
	// ServiceClass is electric, gas or water.
	ServiceClass string `json:"service_class,omitempty"`
	Tariff       string `json:"tariff,omitempty"`
	Status       string `json:"status,omitempty"`
}
