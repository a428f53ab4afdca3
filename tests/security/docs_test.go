package security

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/security.md names a test and a place in the code for each entry.
func TestEveryTestAndPlaceInTheDocumentationExists(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(source), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(text), -1) {
		if named++; !tests[m[1]] {
			t.Errorf("there is no %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`([\\w/]+\\.(?:go|c)):(\\w+)`").FindAllStringSubmatch(string(text), -1) {
		named++
		source, err := os.ReadFile(filepath.Join("../..", m[1]))
		function := regexp.MustCompile(`(?m)^(func (\(\w+ \*?\w+\) )?|(__attribute__\(\([^\n]*\)\) )?(static )?(long|int|_Noreturn void|void) )` + m[2] + `\(`)
		if err != nil || !function.Match(source) {
			t.Errorf("there is no %s in %s: %v", m[2], m[1], err)
		}
	}
	if named < 50 {
		t.Errorf("only %d names were found", named)
	}
	for name := range tests { // and the other way round
		if strings.HasPrefix(name, "TestCVE_") && !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("%s is not in docs/security.md", name)
		}
	}
}
