package main

import (
	"fmt"
	"math"
	"strings"
	"text/template"
)

const maxItems = 1_000_000

// limitedFunctions do what Helm's do, up to a size at which they would take the memory of all.
var limitedFunctions = template.FuncMap{
	"repeat": func(count int, text string) (string, error) {
		if count < 0 {
			return "", fmt.Errorf("repeat: %d is less than nothing", count)
		}
		if len(text) > 0 && count > maxOutput/len(text) {
			return "", tooMuch("repeat", float64(count)*float64(len(text)), maxOutput, "bytes")
		}
		return strings.Repeat(text, count), nil
	},
	"indent": limitedIndent,
	"nindent": func(spaces int, text string) (string, error) {
		indented, err := limitedIndent(spaces, text)
		return "\n" + indented, err
	},
	"replace": func(old, replacement, text string) (string, error) {
		if growth := len(replacement) - len(old); growth > 0 {
			if err := limit("replace", strings.Count(text, old)*growth, maxOutput, "bytes"); err != nil {
				return "", err
			}
		}
		return strings.ReplaceAll(text, old, replacement), nil
	},
	"until":     func(count int) ([]int, error) { return steps("until", 0, count, sign(count)) },
	"untilStep": func(start, stop, step int) ([]int, error) { return steps("untilStep", start, stop, step) },
	"seq": func(parameters ...int) (string, error) {
		if err := limitSequence(parameters); err != nil {
			return "", err
		}
		return sprigFunctions()["seq"].(func(...int) string)(parameters...), nil
	},
}

func limitedIndent(spaces int, text string) (string, error) {
	if spaces < 0 {
		return "", fmt.Errorf("indent: %d is less than nothing", spaces)
	}
	if err := limit("indent", spaces, maxOutput/(strings.Count(text, "\n")+1), "spaces"); err != nil {
		return "", err
	}
	pad := strings.Repeat(" ", spaces)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad), nil
}

func steps(name string, start, stop, step int) ([]int, error) {
	if step != 0 {
		if count := (float64(stop) - float64(start)) / float64(step); count > maxItems {
			return nil, tooMuch(name, count, maxItems, "items")
		}
	}
	return sprigFunctions()["untilStep"].(func(int, int, int) []int)(start, stop, step), nil
}

func limitSequence(parameters []int) error {
	start, end, step := 1, 1, 1
	switch len(parameters) {
	case 1:
		end = parameters[0]
	case 2:
		start, end = parameters[0], parameters[1]
	case 3:
		start, step, end = parameters[0], parameters[1], parameters[2]
	}
	if step == 0 {
		return nil
	}
	if count := math.Abs((float64(end) - float64(start)) / float64(step)); count > maxItems {
		return tooMuch("seq", count, maxItems, "items")
	}
	return nil
}

func sign(number int) int {
	if number < 0 {
		return -1
	}
	return 1
}

func limit(name string, asked, most int, unit string) error {
	if asked > most {
		return tooMuch(name, float64(asked), most, unit)
	}
	return nil
}

func tooMuch(name string, asked float64, most int, unit string) error {
	return fmt.Errorf("%s is asked for %.0f %s: the limit of a render is %d", name, asked, unit, most)
}
