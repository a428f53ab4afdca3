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

// published are the holes that docs/security.md has to account for. The list only grows.
const published = `CVE-2015-3627 CVE-2015-3629 CVE-2015-3630 CVE-2015-3631 CVE-2016-3697 CVE-2016-8867 CVE-2016-9962
	CVE-2019-5736 CVE-2019-16884 CVE-2019-18837 CVE-2019-19921 GHSA-g54h-m393-cpwq CVE-2020-14298 CVE-2020-14300 CVE-2021-30465 CVE-2021-41103
	CVE-2021-43784 CVE-2022-0847 CVE-2022-24769 CVE-2022-27649 CVE-2022-27650 CVE-2022-27651 CVE-2022-27652 CVE-2022-29162 CVE-2022-36109
	CVE-2023-25809 CVE-2023-27561 CVE-2023-28642 CVE-2024-3154 CVE-2024-21626 CVE-2024-40635 CVE-2024-45310 CVE-2025-23266 CVE-2025-24965
	CVE-2025-27612 CVE-2025-31133 CVE-2025-52565 CVE-2025-52881 CVE-2025-54867 CVE-2025-62161 CVE-2025-62596 CVE-2026-30892 CVE-2026-31431
	CVE-2026-41579 CVE-2026-47262 CVE-2026-47766 CVE-2026-53489 CVE-2026-53492 CVE-2026-61801 CVE-2026-84042 CVE-2026-88264 CVE-2026-88265
	CVE-2026-92574 CVE-2026-95837 CVE-2026-115520 CVE-2026-115521 CVE-2026-119101 CVE-2026-119614`

// Two releases have lost what an earlier one had mended: CVE-2020-14298 and CVE-2020-14300.
func TestCVE_2020_14298_NoEntryIsLost(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for id := range strings.FieldsSeq(published) {
		if !regexp.MustCompile(`\b` + id + `\b`).Match(text) {
			t.Errorf("docs/security.md does not say what holds against %s", id)
		}
	}
}
