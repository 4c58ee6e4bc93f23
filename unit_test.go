package candor

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDurationKeepsItsValueInJSON(t *testing.T) {
	for text, d := range map[string]time.Duration{
		`"0s"`:        0,
		`"90ms"`:      90 * time.Millisecond,
		`"10m"`:       10 * time.Minute,
		`"1h30m"`:     90 * time.Minute,
		`"24h"`:       24 * time.Hour,
		`"25h1m1.5s"`: 25*time.Hour + time.Minute + 1500*time.Millisecond,
		`"1.234567s"`: 1234567 * time.Microsecond,
		`"-2h"`:       -2 * time.Hour,
	} {
		got, err := json.Marshal(Duration(d))
		if err != nil || string(got) != text {
			t.Errorf("%v is written %s (%v), want %s", d, got, err, text)
		}
		var back Duration
		if err := json.Unmarshal(got, &back); err != nil || back.D() != d {
			t.Errorf("%s is read %v (%v), want %v", got, back.D(), err, d)
		}
	}
}
