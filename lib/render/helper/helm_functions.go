package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

var sprigFunctions = sync.OnceValue(sprig.TxtFuncMap)

// look is one of the two renders of a chart. What a chart should not show, the time and chance, is another in each.
type look struct {
	clock  time.Time
	second bool
}

// functions take the place of Helm's own. In a chart that shows neither time nor chance they do the same, except that
// they have limits, and that keys and values come in order.
func (l look) functions() template.FuncMap {
	functions := template.FuncMap{
		"keys":   sortedKeys,
		"values": sortedValues,
	}
	maps.Copy(functions, l.clockFunctions())
	maps.Copy(functions, l.chanceFunctions())
	maps.Copy(functions, limitedFunctions)
	return functions
}

func sortedKeys(dicts ...map[string]any) []string {
	keys := []string{}
	for _, dict := range dicts {
		keys = append(keys, slices.Sorted(maps.Keys(dict))...)
	}
	return keys
}

func sortedValues(dict map[string]any) []any {
	values := []any{}
	for _, key := range slices.Sorted(maps.Keys(dict)) {
		values = append(values, dict[key])
	}
	return values
}

// clockFunctions are those that read the clock by themselves.
func (l look) clockFunctions() template.FuncMap {
	inZone := sprigFunctions()["dateInZone"].(func(string, any, string) string)
	rounded := sprigFunctions()["durationRound"].(func(any) string)
	return template.FuncMap{
		"now":            func() time.Time { return l.clock },
		"date":           func(layout string, date any) string { return inZone(layout, l.dateOf(date), "Local") },
		"dateInZone":     func(layout string, date any, zone string) string { return inZone(layout, l.dateOf(date), zone) },
		"date_in_zone":   func(layout string, date any, zone string) string { return inZone(layout, l.dateOf(date), zone) },
		"htmlDate":       func(date any) string { return inZone(time.DateOnly, l.dateOf(date), "Local") },
		"htmlDateInZone": func(date any, zone string) string { return inZone(time.DateOnly, l.dateOf(date), zone) },
		"ago": func(date any) string {
			if _, known := date.(int32); known {
				date = nil // Helm does not know it here
			}
			return l.clock.Sub(timeOf(l.dateOf(date))).Round(time.Second).String()
		},
		"durationRound": func(duration any) string {
			if since, known := duration.(time.Time); known {
				return rounded(int64(l.clock.Sub(since)))
			}
			return rounded(duration)
		},
	}
}

// dateOf gives the time where Helm would take that of the clock.
func (l look) dateOf(date any) any {
	switch date.(type) {
	case time.Time, *time.Time, int64, int, int32:
		return date
	}
	return l.clock
}

func timeOf(date any) time.Time {
	switch date := date.(type) {
	case time.Time:
		return date
	case *time.Time:
		return *date
	case int64:
		return time.Unix(date, 0)
	case int:
		return time.Unix(int64(date), 0)
	}
	return time.Time{}
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// chanceFunctions draw from one half of what is possible in the first look, and from the other in the second.
func (l look) chanceFunctions() template.FuncMap {
	return template.FuncMap{
		"randNumeric":  func(count int) (string, error) { return l.draw(count, digits) },
		"randAlpha":    func(count int) (string, error) { return l.draw(count, letters) },
		"randAlphaNum": func(count int) (string, error) { return l.draw(count, digits+letters) },
		"randAscii":    func(count int) (string, error) { return l.draw(count, asciiText()) },
		"randInt": func(least, end int) (int, error) {
			if end <= least {
				return 0, fmt.Errorf("randInt: there is no number from %d up to %d", least, end)
			}
			half := (end - least) / 2
			if l.second {
				return least + half + below(end-least-half), nil
			}
			return least + below(max(half, 1)), nil
		},
		"randBytes": func(count int) (string, error) {
			if err := limit("randBytes", count, maxOutput, "bytes"); err != nil {
				return "", err
			}
			drawn := make([]byte, max(count, 0))
			_, _ = rand.Read(drawn)
			for i := range drawn {
				drawn[i] &^= 1
				if l.second {
					drawn[i] |= 1
				}
			}
			return base64.StdEncoding.EncodeToString(drawn), nil
		},
		"shuffle": func(text string) string {
			if runes := []rune(text); l.second && len(runes) > 0 {
				return string(append(runes[1:], runes[0]))
			}
			return text
		},
	}
}

func (l look) draw(count int, alphabet string) (string, error) {
	if err := limit("rand", count, maxOutput, "characters"); err != nil {
		return "", err
	}
	half := len(alphabet) / 2
	drawn := make([]byte, max(count, 0))
	for i := range drawn {
		at := 2 * below(half)
		if l.second {
			at++
		}
		drawn[i] = alphabet[at]
	}
	return string(drawn), nil
}

func below(end int) int {
	drawn, err := rand.Int(rand.Reader, big.NewInt(int64(end)))
	if err != nil {
		return 0
	}
	return int(drawn.Int64())
}

func asciiText() string {
	var text strings.Builder
	for letter := byte(' '); letter <= '~'; letter++ {
		text.WriteByte(letter)
	}
	return text.String()
}
