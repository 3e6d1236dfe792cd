package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

// inspect gives use the app of a configuration file. As for "caddy
// validate" everything is provisioned and nothing is started, so that no
// call is made and no file of the broker's is opened; gates register their
// sites. More than that, nothing of the server is written to or read that
// an answer can do without, see isolate.
func inspect(file, adapter string, use func(*App) error) (err error) {
	if file != "" && file != "-" {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("reading the configuration: %w; name another file by --config, or ask a running server by --address", err)
		}
	}
	raw, name, _, err := caddycmd.LoadConfig(file, adapter)
	if err != nil {
		return err
	}
	if len(raw) == 0 {
		return errors.New("there is no Caddyfile in this directory; name the configuration by --config, or ask a running server by --address")
	}
	dir, err := os.MkdirTemp("", "auth-broker-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	app, err := provision(raw, dir)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	// The process ends with the command, which is cleanup enough for all
	// other modules.
	defer func() { err = errors.Join(err, app.Cleanup()) }()
	return use(app)
}

func provision(raw []byte, dir string) (*App, error) {
	raw, err := isolate(caddy.RemoveMetaFields(raw), dir)
	if err != nil {
		return nil, err
	}
	var config caddy.Config
	if err := caddy.StrictUnmarshalJSON(raw, &config); err != nil {
		return nil, fmt.Errorf("decoding the configuration: %w", err)
	}
	if config.AppsRaw[appName] == nil {
		return nil, errors.New("no auth_broker is in it; add the global option auth_broker with an issuer and a provider, or name another file by --config")
	}
	ctx, err := caddy.ProvisionContext(&config)
	if err != nil {
		return nil, fmt.Errorf("%w (to look at a running server instead, use --address)", err)
	}
	return findApp(ctx, "auth_broker")
}

// isolate takes out of a configuration what belongs to the server and not to
// the question.
// Its log files stay closed, and warnings go to the terminal. Its storage is
// left alone: to provision a site with an internal certificate makes a
// certificate authority there, which would then be owned by whoever asks.
// Nor are certificates loaded, whose keys may not be readable for them.
func isolate(raw []byte, dir string) ([]byte, error) {
	var config map[string]json.RawMessage
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, fmt.Errorf("decoding the configuration: %w", err)
	}
	if config == nil {
		config = map[string]json.RawMessage{}
	}
	var apps map[string]map[string]json.RawMessage
	if err := json.Unmarshal(config["apps"], &apps); err == nil && apps["tls"]["certificates"] != nil {
		delete(apps["tls"], "certificates")
		if config["apps"], err = json.Marshal(apps); err != nil {
			return nil, err
		}
	}
	config["logging"] = json.RawMessage(`{"logs":{"default":{"level":"WARN"}}}`)
	storage, err := json.Marshal(map[string]string{"module": "file_system", "root": dir})
	if err != nil {
		return nil, err
	}
	config["storage"] = storage
	return json.Marshal(config)
}
