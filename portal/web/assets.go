package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

// AssetPrefix is where Assets is to be mounted.
const AssetPrefix = "/static/"

// hashLength is how much of a file's SHA-256 its address carries, in hexadecimal digits.
const hashLength = 16

//go:embed static
var static embed.FS

// Assets serves the embedded style sheet, scripts and pictures. Each has an address that changes with its content, so
// browsers may keep it for ever and still never show an old one. It is safe for concurrent use.
type Assets struct {
	addresses map[string]string // by name, such as "meterkey.css"
	files     http.Handler
}

// NewAssets reads the embedded files.
func NewAssets() (*Assets, error) {
	files, err := fs.Sub(static, "static")
	if err != nil {
		return nil, fmt.Errorf("opening the embedded files: %w", err)
	}
	a := &Assets{addresses: map[string]string{}, files: http.FileServerFS(files)}
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		a.addresses[name] = AssetPrefix + digest(content)[:hashLength] + "/" + name
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the embedded files: %w", err)
	}
	return a, nil
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Address is where a file is served. The error names a file that does not exist.
func (a *Assets) Address(name string) (string, error) {
	address, ok := a.addresses[name]
	if !ok {
		return "", fmt.Errorf("no embedded file is called %q", name)
	}
	return address, nil
}

// ServeHTTP serves a file under its present address, and 404 under any other.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, AssetPrefix), "/")
	if address, ok := a.addresses[name]; !ok || address != r.URL.Path {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r2 := r.Clone(r.Context())
	r2.URL.Path, r2.URL.RawPath = "/"+name, ""
	a.files.ServeHTTP(w, r2)
}
