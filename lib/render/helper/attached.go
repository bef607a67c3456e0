package main

import (
	"errors"
	"io"
)

// receive reads the contents that follow the line.
func (m *message) receive(in io.Reader) error {
	contents := make([][]byte, len(m.Attached))
	for index, length := range m.Attached {
		contents[index] = make([]byte, length)
		if _, err := io.ReadFull(in, contents[index]); err != nil {
			return err
		}
	}
	for _, entries := range [][]foundEntry{m.Entries, m.ValueFiles} {
		for index := range entries {
			number := entries[index].Attached
			if number < 0 || number > len(contents) {
				return errors.New("an entry names a content that is not attached")
			}
			if number > 0 {
				entries[index].bytes = contents[number-1]
			}
		}
	}
	return nil
}
