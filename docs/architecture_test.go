package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func architecture(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("architecture.md")
	require.NoError(t, err)
	return string(text)
}

// declarations are the functions, methods, types, constants and variables of each Go file, tests aside.
func declarations(t *testing.T) map[string][]string {
	t.Helper()
	declared := map[string][]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(".."), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || name != "." && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path.Join("..", name), nil, parser.SkipObjectResolution)
		if err == nil {
			declared[name] = namesIn(file)
		}
		return err
	}))
	return declared
}

func namesIn(file *ast.File) []string {
	var names []string
	for _, one := range file.Decls {
		switch one := one.(type) {
		case *ast.FuncDecl:
			names = append(names, receiver(one)+one.Name.Name)
		case *ast.GenDecl:
			for _, spec := range one.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// receiver is the type of a method with a dot after it, "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	return fmt.Sprint(of) + "."
}

var quoted = regexp.MustCompile("`([^`\n]+)`")

// TestArchitectureNamesWhatThereIs: each name in backticks is a file, a package or something declared; a step's function is
// declared in the step's file, and so is "X in file".
func TestArchitectureNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	declared := declarations(t)
	text := architecture(t)
	for _, name := range quoted.FindAllStringSubmatch(text, -1) {
		require.True(t, exists(declared, name[1]), "there is no %s", name[1])
	}
	places := regexp.MustCompile("`([^`]+)` in `([^`]+)`").FindAllStringSubmatch(text, -1)
	for _, step := range regexp.MustCompile("(?m)^\\| \\d+ \\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		places = append(places, []string{step[0], step[2], step[1]})
	}
	require.Greater(t, len(places), 40)
	for _, place := range places {
		require.Contains(t, declared[place[2]], place[1], place[0])
	}
}

func exists(declared map[string][]string, name string) bool {
	if _, err := os.Stat(path.Join("..", name)); err == nil || name == path.Base(module) {
		return true
	}
	for file, names := range declared {
		of := path.Base(path.Dir(path.Join(module, file)))
		if slices.Contains(names, name) || slices.Contains(names, strings.TrimPrefix(name, of+".")) {
			return true
		}
	}
	return false
}

// TestArchitectureDrawsTheArrows: the picture has the imports that there are, from room to room, and no others.
func TestArchitectureDrawsTheArrows(t *testing.T) {
	t.Parallel()
	_, picture, found := strings.Cut(architecture(t), "```mermaid\n")
	require.True(t, found)
	picture, _, _ = strings.Cut(picture, "```")
	folders := map[string]string{}
	for _, node := range regexp.MustCompile(`(\w+)\["([^"]+)"\]`).FindAllStringSubmatch(picture, -1) {
		folders[node[1]] = node[2]
	}
	var drawn []string
	for _, arrow := range regexp.MustCompile(`(?m)^ *(\w+)(?:\[.*?\])? --> (\w+)`).FindAllStringSubmatch(picture, -1) {
		drawn = append(drawn, folders[arrow[1]]+" --> "+folders[arrow[2]])
	}
	require.ElementsMatch(t, arrows(t, folders), drawn)
}

// arrows are the imports between rooms, the root aside, each once.
func arrows(t *testing.T, folders map[string]string) []string {
	t.Helper()
	var all []string
	for name, imports := range listed(t, "Imports") {
		from := roomOf(folders, name)
		for _, imported := range imports {
			if to := roomOf(folders, inModule(imported)); strings.HasPrefix(imported, module+"/") && to != from {
				all = append(all, from+" --> "+to)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// roomOf is the innermost folder in the picture that a package is in; a package in none stands for itself.
func roomOf(folders map[string]string, name string) string {
	room := ""
	for _, folder := range folders {
		if within(name, folder) || within(name, folder+"/...") {
			if len(folder) > len(room) {
				room = folder
			}
		}
	}
	if room == "" {
		return name
	}
	return room
}
