package aldea

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

func decodeMetadata(data []byte) (Message, error) {
	var wire struct {
		RequestID string          `json:"request_id"`
		Created   string          `json:"created"`
		Duration  float64         `json:"duration"`
		Channels  int             `json:"channels"`
		ModelInfo json.RawMessage `json:"model_info"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, fmt.Errorf("aldea: Metadata: %w", err)
	}
	return &Metadata{
		RequestID: clip(wire.RequestID, maxID),
		Created:   clip(wire.Created, maxID),
		Duration:  seconds(wire.Duration),
		Channels:  wire.Channels,
		Models:    decodeModels(wire.ModelInfo),
	}, nil
}

// decodeModels reads model_info: one object with Aldea, a map from model id to object with Deepgram. What
// is neither gives nil; the models are never worth losing the message.
func decodeModels(data []byte) []Model {
	if len(data) == 0 || len(data) > maxModels {
		return nil
	}
	var byID map[string]*struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Arch    string `json:"arch"`
	}
	if json.Unmarshal(data, &byID) == nil {
		var models []Model
		for id, m := range byID {
			if m != nil {
				models = append(models, Model{ID: id, Name: m.Name, Version: m.Version, Arch: m.Arch})
			}
		}
		// A single object with nothing but nulls passes for a map, too: it says nothing either way.
		slices.SortFunc(models, func(a, b Model) int { return strings.Compare(a.ID, b.ID) })
		return models
	}
	var one struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Arch    string `json:"arch"`
	}
	if json.Unmarshal(data, &one) != nil {
		return nil
	}
	return []Model{{Name: one.Name, Version: one.Version, Arch: one.Arch}}
}
