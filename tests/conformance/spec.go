package main

import (
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode"
)

// specFiles are the parts of the specification that bind a runtime for Linux, in the order of the table.
var specFiles = []string{"config.md", "config-linux.md", "runtime.md", "runtime-linux.md", "features.md", "features-linux.md"}

// keywords are the words of RFC 2119 that demand something, longer ones first. The specification
// writes some of its demands in lower case.
var keywords = []string{
	"MUST NOT", "SHOULD NOT", "SHALL NOT", "NOT RECOMMENDED", "MUST", "SHOULD", "SHALL", "REQUIRED", "RECOMMENDED",
	"must not", "should not", "must", "should",
}

// statement is one of the keywords in the text.
type statement struct {
	keyword string
	line    int
	text    string // the line that it stands in
}

// section is a heading with what follows it, up to the next one.
type section struct {
	file, anchor, title string
	sum                 string // of the text: who reads a new version sees which sections to read again
	statements          []statement
}

// name is what rows call the section.
func (s *section) name() string { return s.file + "#" + s.anchor }

// specDir is where the module of the specification is that hull is built with.
func specDir() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil {
		return "", fmt.Errorf("find the specification: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// readSpec reads the sections that demand something.
func readSpec(dir string) ([]section, error) {
	var all []section
	for _, file := range specFiles {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		all = append(all, sections(file, string(text))...)
	}
	return all, nil
}

// sections splits a document. Examples are left out.
func sections(file, text string) []section {
	var found []section
	var body strings.Builder
	current := section{file: file}
	finish := func(next section) {
		if current.statements = statements(body.String()); len(current.statements) > 0 {
			current.sum = fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(strings.Join(strings.Fields(body.String()), " "))))
			found = append(found, current)
		}
		current = next
	}
	example, line := false, 0
	for l := range strings.Lines(text) {
		line++
		switch {
		case strings.HasPrefix(strings.TrimSpace(l), "```"):
			example = !example
		case example:
		case strings.HasPrefix(l, "#"):
			finish(heading(file, l))
			body.Reset()
			body.WriteString(strings.Repeat("\n", line)) // keeps the numbers of the lines
			continue
		default:
			body.WriteString(l)
			continue
		}
		body.WriteString("\n")
	}
	finish(section{})
	return found
}

// heading reads a line such as `## <a name="configRoot" />Root`.
func heading(file, line string) section {
	title := strings.TrimSpace(strings.TrimLeft(line, "#"))
	if _, rest, ok := strings.Cut(title, `<a name="`); ok {
		anchor, after, _ := strings.Cut(rest, `"`)
		_, title, _ = strings.Cut(after, ">")
		return section{file: file, anchor: anchor, title: strings.TrimSpace(title)}
	}
	return section{file: file, anchor: strings.ToLower(strings.ReplaceAll(title, " ", "-")), title: title}
}

// statements finds the keywords of a text.
func statements(text string) []statement {
	lines := strings.Split(text, "\n")
	var found []statement
	words := wordsOf(text)
	for i := 0; i < len(words); {
		n := 1
		if k := keywordAt(words[i:]); k != "" {
			found = append(found, statement{k, words[i].line, strings.TrimSpace(lines[words[i].line-1])})
			n = len(strings.Fields(k))
		}
		i += n
	}
	return found
}

// word is one of a text, and the line it is in.
type word struct {
	text string
	line int
}

func wordsOf(text string) []word {
	var words []word
	line := 1
	for l := range strings.Lines(text) {
		for _, w := range strings.FieldsFunc(l, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			words = append(words, word{w, line})
		}
		line++
	}
	return words
}

// keywordAt is the keyword that the words begin with, or "".
func keywordAt(words []word) string {
	for _, k := range keywords {
		parts := strings.Fields(k)
		if len(words) < len(parts) {
			continue
		}
		same := true
		for i, p := range parts {
			same = same && words[i].text == p
		}
		if same {
			return k
		}
	}
	return ""
}
