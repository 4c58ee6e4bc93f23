package wire

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"candor"
)

// fill sets every field of v, however deep, to something: so that a field the
// hand-written code forgets shows up as soon as it is added.
func fill(rnd *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(rnd.Int64N(4e9), rnd.Int64N(1e9)).UTC()))
		return
	case json.RawMessage:
		items := []string{`"docs/a.md"`, `{"a": [1,2 , {"b":null}]}`, `-1.5e3`, `"ünï \"q\" <x>"`, `true`, `[]`, `"\u2028"`}
		v.SetBytes([]byte(items[rnd.IntN(len(items))]))
		return
	case candor.TaskID, candor.BatchID:
		v.SetInt(rnd.Int64N(candor.MaxID))
		return
	}
	switch v.Kind() {
	case reflect.String:
		words := []string{"", "done", "ünï", `"quoted"\`, "<&>", "line\nline", "\u2028", "日本", "bad \xff byte", "failed"}
		v.SetString(words[rnd.IntN(len(words))])
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(rnd.Int64() >> rnd.IntN(63) * (1 - 2*rnd.Int64N(2)))
	case reflect.Float64:
		v.SetFloat(rnd.Float64())
	case reflect.Pointer:
		if rnd.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rnd, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rnd.IntN(3), 3))
		for i := range v.Len() {
			fill(rnd, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rnd.IntN(3) {
			key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(rnd, key)
			fill(rnd, val)
			v.SetMapIndex(key, val)
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf("operand"))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rnd, v.Field(i))
		}
	}
}

const rounds = 3000

// sameAsStandard holds the hand-written pair against encoding/json on random values.
func sameAsStandard[T any](t *testing.T, appendTo func([]byte, *T) ([]byte, error), decode func([]byte, *T) error) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		var v T
		fill(rnd, reflect.ValueOf(&v).Elem())
		want, err := json.Marshal(&v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := appendTo([]byte("before"), &v)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got[len("before"):])); diff != "" {
			t.Fatalf("written differently from encoding/json (-json +here):\n%s", diff)
		}
		sameDecoded(t, want, decode)
	}
}

func sameDecoded[T any](t *testing.T, data []byte, decode func([]byte, *T) error) {
	t.Helper()
	var want, got T
	wantErr, gotErr := json.Unmarshal(data, &want), decode(data, &got)
	if (wantErr == nil) != (gotErr == nil) {
		t.Fatalf("%q: encoding/json says %v, here %v", data, wantErr, gotErr)
	}
	if diff := cmp.Diff(want, got); wantErr == nil && diff != "" {
		t.Fatalf("%q read differently from encoding/json (-json +here):\n%s", data, diff)
	}
}

func TestClaimsAreWrittenAndReadAsByEncodingJSON(t *testing.T) {
	t.Run("request", func(t *testing.T) { sameAsStandard(t, AppendClaimRequest, DecodeClaimRequest) })
	t.Run("reply", func(t *testing.T) { sameAsStandard(t, AppendClaimReply, DecodeClaimReply) })
}

func TestWhatIsCommonTakesTheQuickWay(t *testing.T) {
	data, err := AppendClaimRequest(nil, sampleRequest(2))
	if err != nil {
		t.Fatal(err)
	}
	s := scanner{data: data}
	if s.claimRequest(new(candor.ClaimRequest)); !s.ok() {
		t.Errorf("a usual request is not read by hand beyond byte %d: %s", s.pos, data[s.pos:])
	}
	if data, err = AppendClaimReply(nil, sampleReply(2)); err != nil {
		t.Fatal(err)
	}
	s = scanner{data: data}
	if s.claimReply(new(candor.ClaimReply)); !s.ok() {
		t.Errorf("a usual reply is not read by hand beyond byte %d: %s", s.pos, data[s.pos:])
	}
}

func TestOddJSONIsReadAsByEncodingJSON(t *testing.T) {
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `{"session":1}`, ` {"session":1,"max":2}`, `{"session":1,"max":2} `, `{"session":01,"max":2}`,
		`{"session":1,"max":2,"wait":"30s"}`, `{"session":1,"max":2,"wait":"30"}`, `{"session":1,"max":2,"wait":null}`,
		`{"session":9223372036854775807,"max":2}`, `{"session":9223372036854775808,"max":2}`, `{"session":-,"max":2}`,
		`{"max":2,"session":1}`, `{"SESSION":1,"max":2}`, `{"session":1,"session":2,"max":2}`, `{"session":1,"max":2,"new":[{"x":"}"}]}`,
		`{"session":1,"results":[],"max":2}`, `{"session":1,"results":null,"max":2}`, `{"session":1,"results":[{}],"max":2}`,
		`{"session":1,"results":[{"task":"t_00000000","lease":1,"outcome":"do\u006ee"}],"max":2}`,
		`{"session":1,"results":[{"task":"t_0","lease":1,"outcome":"done"}],"max":2}`,
		`{"session":1,"results":[{"task":"t_00000000","lease":1,"outcome":"done","exit":{"code":0,"max_rss":"12MiB"}}],"max":2}`,
		`{"session":1,"results":[{"task":"t_00000000","lease":1,"outcome":"done","exit":{"code":0,"cut":false}}],"max":2}`,
		`{"session":1,"results":[{"task":"t_00000000","lease":1,"outcome":"done","started":"today"}],"max":2}`,
		`{"session":1,"max":2,"view":{"state":"hot"}}`, `{"session":1,"max":2,"view":{"state":"hot"}`, `{"session":1,"max":2}}`,
	} {
		sameDecoded(t, []byte(text), DecodeClaimRequest)
	}
	for _, text := range []string{
		`{}`, `{,"tasks":[]}`, `{"results":[],"tasks":[]}`, `{"tasks":[{"task":"t_00000000","spec":0,"index":-1,"item": 1,"attempt":1,"lease":1}]}`,
		`{"tasks":[{"task":"t_00000000","spec":0,"index":-1,"item":"\u0041","attempt":1,"lease":1}]}`,
		`{"tasks":[{"task":"t_00000000","spec":0,"index":-1,"item":nul,"attempt":1,"lease":1}]}`, `{"steps":null}`, `{"report":null}`,
	} {
		sameDecoded(t, []byte(text), DecodeClaimReply)
	}
}

func FuzzDecodeClaimRequest(f *testing.F) {
	data, err := AppendClaimRequest(nil, sampleRequest(2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) { sameDecoded(t, data, DecodeClaimRequest) })
}

func FuzzDecodeClaimReply(f *testing.F) {
	data, err := AppendClaimReply(nil, sampleReply(2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) { sameDecoded(t, data, DecodeClaimReply) })
}
