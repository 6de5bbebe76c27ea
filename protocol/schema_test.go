// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemaOptions say how the types that write themselves look.
func schemaOptions() *jsonschema.ForOptions {
	text := &jsonschema.Schema{Description: "bytes: a string when they are UTF-8", OneOf: []*jsonschema.Schema{
		{Type: "string"},
		{Type: "object", Required: []string{"base64"}, Properties: map[string]*jsonschema.Schema{"base64": {Type: "string", ContentEncoding: "base64"}}},
	}}
	anything := &jsonschema.Schema{}
	return &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[Text](): text, reflect.TypeFor[json.RawMessage](): anything,
	}}
}

// lenient allows members that are not known yet, on either side.
func lenient(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Not != nil {
		s.AdditionalProperties = nil
	}
	if len(s.Types) == 1 && s.Types[0] == "null" && s.OneOf != nil {
		// A pointer to a type with a schema of its own.
		s.Types, s.OneOf = nil, append(s.OneOf[:len(s.OneOf):len(s.OneOf)], &jsonschema.Schema{Type: "null"})
	}
	if slices.Equal(s.Types, []string{"null", "array"}) {
		s.Types, s.Type = nil, "array" // an empty list is written as one
	}
	for _, p := range s.Properties {
		lenient(p)
	}
	lenient(s.Items)
	lenient(s.AdditionalProperties)
}

func schemaOf(t *testing.T, v any) *jsonschema.Schema {
	t.Helper()
	if v == nil {
		return nil
	}
	s, err := jsonschema.ForType(reflect.TypeOf(v), schemaOptions())
	if err != nil {
		t.Fatal(err)
	}
	lenient(s)
	return s
}

// TestSchema holds schema.json against the types. HGBROKER_UPDATE_SCHEMA=1 writes
// it anew.
func TestSchema(t *testing.T) {
	type entry struct {
		Name   string             `json:"method"`
		Doc    string             `json:"description"`
		Kind   string             `json:"kind"`
		From   string             `json:"from"`
		Params *jsonschema.Schema `json:"params,omitempty"`
		Result *jsonschema.Schema `json:"result,omitempty"`
	}
	var document struct {
		Schema  string  `json:"$schema"`
		Title   string  `json:"title"`
		Version int     `json:"protocol"`
		Methods []entry `json:"methods"`
	}
	document.Schema = "https://json-schema.org/draft/2020-12/schema"
	document.Title = "hgbroker's methods: JSON-RPC 2.0 on the broker's stdin and stdout"
	document.Version = Version
	for _, m := range Methods {
		e := entry{Name: m.Name, Doc: m.Doc, Kind: "request", From: "broker", Params: schemaOf(t, m.Params), Result: schemaOf(t, m.Result)}
		if m.Notif {
			e.Kind = "notification"
		}
		if m.ToUs {
			e.From = "client"
		}
		document.Methods = append(document.Methods, e)
	}
	want, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if os.Getenv("HGBROKER_UPDATE_SCHEMA") != "" {
		if err := os.WriteFile("schema.json", want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("schema.json is not what the types say; HGBROKER_UPDATE_SCHEMA=1 go test ./protocol writes it")
	}
}

// TestMethodsAreDocumented finds every method in the README.
func TestMethodsAreDocumented(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Methods {
		if strings.Contains(m.Name, "/") && !bytes.Contains(readme, []byte(m.Name)) {
			t.Errorf("README.md does not mention %s", m.Name)
		}
	}
}
