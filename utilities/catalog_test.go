package utilities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func catalog(t *testing.T) *Catalog {
	t.Helper()
	c, err := Load("")
	require.NoError(t, err)
	return c
}

func TestEmbeddedFiles(t *testing.T) {
	t.Parallel()
	var ids []string
	for _, u := range catalog(t).All() {
		ids = append(ids, u.ID)
		require.NotEmpty(t, u.MFA.Source, u.ID)
		if u.ID != "DEMO" {
			require.NotEmpty(t, u.Unverified, u.ID)
		}
	}
	require.Equal(t, []string{
		"ACE", "BGE", "COMED", "CONED", "DEMO", "EVERSOURCE", "HECO", "PECO", "PEPCO", "PSEG", "SCE", "SDGE",
	}, ids)
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	turnOff := map[string]string{
		"ACE":   "https://www.atlanticcityelectric.com/my-account/customer-support/cs-faqs",
		"BGE":   "https://www.bge.com/my-account/customer-support/faqs",
		"COMED": "https://www.comed.com/my-account/customer-support/customer-support-faqs",
		"HECO":  "https://www.hawaiianelectric.com/customer-service/frequently-asked-questions",
		"PEPCO": "https://www.pepco.com/my-account/customer-support/cs-faqs",
		"PECO":  "https://www.peco.com/my-account/customer-support/faqs",
		"SCE":   "https://www.sce.com/helpcenter/topics/my-account/multi-factor-authentication-mfa-customer-faqs",
	}
	for _, u := range catalog(t).All() {
		faq, off := turnOff[u.ID]
		require.Equal(t, off, u.MFA.Policy == TurnOff, u.ID)
		require.Equal(t, faq, u.MFA.FAQ, u.ID)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for _, name := range []string{"CONED", "coned", "Con Edison", "  consolidated   edison "} {
		u, err := c.Find(name)
		require.NoError(t, err, name)
		require.Equal(t, "CONED", u.ID)
	}
	for asked, want := range map[string]string{
		"coed":    "did you mean COMED or CONED?",
		"pepko":   "did you mean PECO or PEPCO?",
		"edison":  "did you mean COMED or CONED or SCE?",
		"neptune": "there are ACE, BGE, COMED,",
	} {
		_, err := c.Find(asked)
		require.ErrorContains(t, err, want, asked)
	}
}

func TestFolderAddsAndReplaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "site.yaml", good)
	write(t, dir, "other.yml", strings.NewReplacer("id: SITE", "id: CONED", "aliases: [some]", "aliases: [ours]", "Some Site", "Ours").Replace(good))
	write(t, dir, "notes.txt", "not a utility")
	c, err := Load(dir)
	require.NoError(t, err)
	require.Len(t, c.All(), 13)
	u, err := c.Find("ours")
	require.NoError(t, err)
	require.Equal(t, "CONED", u.ID)
}

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.yaml", good)
	write(t, dir, "b.yaml", good)
	_, err := Load(dir)
	require.ErrorContains(t, err, "b.yaml:1: id: SITE is described in ")

	write(t, dir, "b.yaml", strings.NewReplacer("id: SITE", "id: SECOND", "Some Site", "Second", "[some]", "[Con Ed]").Replace(good))
	_, err = Load(dir)
	require.ErrorContains(t, err, `"Con Ed" is a name of CONED already`)
}

func TestFolderWithMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.yaml", strings.Replace(good, "digits: 6", "digits: x", 1))
	write(t, dir, "b.yaml", "id: [")
	_, err := Load(dir)
	require.ErrorContains(t, err, "a.yaml:24: flow.code.digits")
	require.ErrorContains(t, err, "b.yaml:1")

	_, err = Load(dir + "/nowhere")
	require.Error(t, err)
}
