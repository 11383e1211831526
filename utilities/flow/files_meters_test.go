package flow

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// found is what the reading steps of a file found on a site, as JSON by the names that the file gives it.
type found map[string]string

// meterOf is the meter that a file makes of it; nil when it makes none.
func meterOf(t *testing.T, f recogniser, all found) *meterkey.Meter {
	t.Helper()
	s := scope{}
	for name, text := range all {
		require.True(t, gjson.Valid(text), text)
		require.True(t, slices.ContainsFunc(f.Meters.Read, func(r utilities.Reading) bool { return r.As == name }), "no step finds a %q", name)
		s = s.with(name, gjson.Parse(text))
	}
	r := &reader{Run: &Run{flow: f}, known: map[meterkey.Meter]bool{}}
	r.addMeter(s)
	if len(r.meters) == 0 {
		return nil
	}
	return &r.meters[0]
}

// TestMetersOfEveryFile gives each file what its site answers, in full and with gaps.
func TestMetersOfEveryFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		id    string
		found found
		want  *meterkey.Meter
	}{
		"Con Edison": {"CONED", found{
			"customer": `{"address":"1 Elm Street, Bronx, NY 10458"}`, "meter": `"000123456"`,
			"account": `{"uuid":"u","preferredUtilityAccountId":"51000","meterType":"ELEC"}`,
		}, &meterkey.Meter{AccountNumber: "51000", MeterNumber: "000123456", ServiceAddress: "1 Elm Street, Bronx, NY 10458", ServiceClass: "electric"}},
		"Con Edison, no meter shown": {"CONED", found{
			"customer": `{}`, "account": `{"preferredUtilityAccountId":"51000","meterType":"GAS"}`,
		}, &meterkey.Meter{AccountNumber: "51000", ServiceClass: "gas"}},
		"Eversource": {"EVERSOURCE", found{
			"account":   `{"BillingAccountIdentifier":"51","ServiceAddress":"old","AccountStatus":"Active"}`,
			"point":     `{"premise":{"address":"1 Elm"},"deviceInstallations":[{"device":{"utilityId":"E-1"}}]}`,
			"agreement": `{"serviceType":"ELECTRIC"}`,
		}, &meterkey.Meter{AccountNumber: "51", MeterNumber: "E-1", ServiceAddress: "1 Elm", ServiceClass: "electric", Status: "active"}},
		"Eversource, a closed account": {"EVERSOURCE", found{
			"account": `{"BillingAccountIdentifier":"51","ServiceAddress":"2 Elm","AccountStatus":"Inactive"}`,
			"meter":   `{"MeterNumber":"E-2","ServiceType":"gas"}`,
		}, &meterkey.Meter{AccountNumber: "51", MeterNumber: "E-2", ServiceAddress: "2 Elm", ServiceClass: "gas", Status: "inactive"}},
		"Hawaiian Electric": {"HECO", found{
			"meter": `{"account":"2000","meter":"H-1","address":"1 Palm","tariff":"R","status":"ACTIVE"}`,
		}, &meterkey.Meter{AccountNumber: "2000", MeterNumber: "H-1", ServiceAddress: "1 Palm", Tariff: "R", Status: "active"}},
		"PSEG, one account": {"PSEG", found{
			"meter": `{"account":"71","meter":"P-1","address":"1 Oak","service":"Gas"}`,
		}, &meterkey.Meter{AccountNumber: "71", MeterNumber: "P-1", ServiceAddress: "1 Oak", ServiceClass: "gas"}},
		"PSEG, the account that was picked": {"PSEG", found{
			"account": `{"number":"72"}`, "meter": `{"account":"","meter":"P-1"}`,
		}, &meterkey.Meter{AccountNumber: "72", MeterNumber: "P-1"}},
		"Southern California Edison": {"SCE", found{
			"service": `{"service":"8000000001","address":"1 Sun","tariff":"TOU-D"}`,
		}, &meterkey.Meter{ServiceIdentifier: "8000000001", ServiceAddress: "1 Sun", Tariff: "TOU-D"}},
		"San Diego": {"SDGE", found{
			"account": `{"number":"300000"}`, "meter": `{"number":"123456","service":"electric"}`,
		}, &meterkey.Meter{AccountNumber: "300000", MeterNumber: "123456", ServiceClass: "electric"}},
		"San Diego, one account": {"SDGE", found{
			"shown": `{"account":"300001"}`, "meter": `{"number":"123457","service":"gas"}`,
		}, &meterkey.Meter{AccountNumber: "300001", MeterNumber: "123457", ServiceClass: "gas"}},
		"Baltimore": {"BGE", found{
			"account": `{"accountNumber":"10","address":"1 Bay","serviceType":"ELECTRIC","status":"Active"}`,
			"detail":  `{"premiseNumber":"600","rateSchedule":"R"}`,
		}, &meterkey.Meter{
			AccountNumber: "10", ServiceIdentifier: "600", ServiceAddress: "1 Bay", ServiceClass: "electric", Tariff: "R", Status: "active",
		}},
		"Baltimore, details withheld": {"BGE", found{
			"account": `{"accountNumber":"10","address":"1 Bay","serviceType":"ELECTRIC/GAS","status":"Inactive"}`,
		}, &meterkey.Meter{AccountNumber: "10", ServiceAddress: "1 Bay", Status: "inactive"}},
		"Demonstration": {"DEMO", found{
			"meter": `{"account":"4","meter":"D-1","point":"SP1","address":"1 Main","class":"water","tariff":"W","status":"Active"}`,
		}, &meterkey.Meter{
			AccountNumber: "4", MeterNumber: "D-1", ServiceIdentifier: "SP1", ServiceAddress: "1 Main", ServiceClass: "water", Tariff: "W", Status: "active",
		}},
		"a row of blanks is no meter":      {"DEMO", found{"meter": `{"account":" ","meter":""}`}, nil},
		"a class alone is no meter either": {"DEMO", found{"meter": `{"class":"gas"}`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, meterOf(t, flowOf(t, c.id), c.found))
		})
	}
}

// TestColumnsTakeWhatTheyAreTold narrows texts of the sites to the numbers in them.
func TestColumnsTakeWhatTheyAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, column, text, want string }{
		{"PSEG", "number", "radioCntAccount7000123456", "7000123456"},
		{"PSEG", "number", "radioCntAccount", ""},
		{"SCE", "service", "Service account 8012345678 at 1 Sun", "8012345678"},
		{"SCE", "service", "Account 7012345678", ""},
		{"SDGE", "number", "Electric - 0123456", "0123456"},
		{"SDGE", "service", "Gas - 0123456", ""},
		{"SDGE", "service", "gas - 0123456", "gas"},
	} {
		var values []string
		for _, step := range flowOf(t, c.id).Meters.Read {
			if column, ok := step.Columns[c.column]; ok {
				values = append(values, column.Value(c.text))
			}
		}
		if c.text == "Gas - 0123456" { // whatever the case
			c.want = "Gas"
		}
		require.Contains(t, values, c.want, "%s %s of %q", c.id, c.column, c.text)
	}
}

func TestAMeterFoundTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	r := &reader{Run: &Run{flow: flowOf(t, "DEMO")}, known: map[meterkey.Meter]bool{}}
	for _, number := range []string{"1", "2", "1"} {
		r.addMeter(scope{}.with("meter", gjson.Parse(`{"meter":"`+number+`"}`)))
	}
	require.Equal(t, []meterkey.Meter{{MeterNumber: "1"}, {MeterNumber: "2"}}, r.meters)
}

// TestWhatEveryFileSays holds the files to what the documentation promises of all of them.
func TestWhatEveryFileSays(t *testing.T) {
	t.Parallel()
	interactive := map[string][]meterkey.ChallengeKind{
		"CONED": {meterkey.NumberCode, meterkey.SecurityAnswer}, "EVERSOURCE": {meterkey.NumberCode}, "PSEG": {meterkey.NumberCode, meterkey.MethodChoice}, "SDGE": {meterkey.NumberCode},
		"DEMO": {meterkey.NumberCode, meterkey.SecurityAnswer, meterkey.MethodChoice},
	}
	for _, u := range embeddedUtilities(t) {
		kinds, asks := interactive[u.ID]
		require.Equal(t, asks, u.MFA.Policy == utilities.Interactive, u.ID)
		if asks {
			require.Equal(t, kinds, u.MFA.Kinds, u.ID)
		}
		confirmed, err := time.Parse(time.DateOnly, u.MFA.Confirmed)
		require.NoError(t, err, u.ID)
		require.True(t, confirmed.Before(time.Now().Add(24*time.Hour)), "%s was confirmed before today", u.ID)
		require.Equal(t, 10*time.Minute, u.WindowLifetime, "%s: as long as the customer is told", u.ID)
		require.Equal(t, 45*time.Second, u.Flow.RenderWait, "%s waits for forms that render late", u.ID)
		require.NotNil(t, u.Flow.Code, "%s notices a second factor", u.ID)
		require.LessOrEqual(t, u.Flow.Code.Tries, 3, "%s is gentle with accounts", u.ID)
		require.Contains(t, u.Flow.Code.Field, utilities.Element{CSS: oneTimeCode}, "%s finds the field by its purpose", u.ID)
		require.Regexp(t, `^https://`, u.Website, u.ID)
		require.Regexp(t, `^https://`, u.Flow.SignIn.Open, u.ID)
	}
}

// TestEveryFileReadsAnAccountOrAService sees to it that a meter list can tell its lines apart.
func TestEveryFileReadsAnAccountOrAService(t *testing.T) {
	t.Parallel()
	for _, u := range embeddedUtilities(t) {
		fields := slices.Sorted(maps.Keys(u.Flow.Meters.Fields))
		require.True(t, slices.Contains(fields, "account_number") || slices.Contains(fields, "service_identifier"), "%s: %v", u.ID, fields)
		require.Equal(t, u.ID != "SDGE", slices.Contains(fields, "service_address"), "%s: San Diego alone shows no address", u.ID)
	}
}
