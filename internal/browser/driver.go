package browser

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/playwright-community/playwright-go"
)

const (
	driverStartTimeout = 3 * time.Minute // with hundreds of windows open it takes some seconds, on a busy machine many times that
	driverPingEvery    = time.Second
	driverPingTimeout  = 15 * time.Second
	driverStopTimeout  = 5 * time.Second
	identifyTimeout    = 10 * time.Second
)

// driver is one Playwright driver process and its connection to the browser.
type driver struct {
	address string
	dir     *driverDir
	pw      *playwright.Playwright
	session playwright.CDPSession
	context playwright.BrowserContext
	changed *broadcast
	gone    chan struct{}
	stopped chan struct{}

	mu    sync.Mutex
	pages map[string]playwright.Page // by target id
}

// startDriver starts a driver for the host in this folder.
func startDriver(ctx context.Context, host, address string, changed *broadcast) (*driver, error) {
	ctx, cancel := context.WithTimeout(ctx, driverStartTimeout)
	defer cancel()
	dir, err := newDriverDir(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("making a folder for the playwright driver: %w", err)
	}
	d := &driver{
		address: address, dir: dir, changed: changed, gone: make(chan struct{}), stopped: make(chan struct{}),
		pages: map[string]playwright.Page{},
	}
	if err := d.start(ctx); err != nil {
		d.end()
		return nil, err
	}
	go d.watch()
	return d, nil
}

func (d *driver) start(ctx context.Context) error {
	options := playwright.RunOptions{DriverDirectory: d.dir.path}
	var err error
	d.pw, err = await(ctx, func() (*playwright.Playwright, error) { return playwright.Run(&options) }, stopPlaywright)
	if err != nil {
		return fmt.Errorf("starting playwright driver: %w", err)
	}
	if err := Do(ctx, d.connect); err != nil {
		return fmt.Errorf("connecting playwright to the browser: %w", err)
	}
	return nil
}

func (d *driver) connect() error {
	browser, err := d.pw.Chromium.ConnectOverCDP(d.address, playwright.BrowserTypeConnectOverCDPOptions{
		Timeout: playwright.Float(float64(driverStartTimeout.Milliseconds())),
	})
	if err != nil {
		return err
	}
	if d.session, err = browser.NewBrowserCDPSession(); err != nil {
		return err
	}
	contexts := browser.Contexts()
	if len(contexts) == 0 {
		return errors.New("browser has no default context")
	}
	d.context = contexts[0]
	d.context.OnPage(func(p playwright.Page) { go d.identify(p) })
	for _, p := range d.context.Pages() {
		go d.identify(p)
	}
	return nil
}

// identify finds out which target a page is. A page for which that fails is gone, or the driver is.
func (d *driver) identify(p playwright.Page) {
	ctx, cancel := context.WithTimeout(context.Background(), identifyTimeout)
	defer cancel()
	id, err := await(ctx, func() (string, error) { return d.targetOf(p) }, nil)
	if err != nil {
		return
	}
	d.mu.Lock()
	d.pages[id] = p
	d.mu.Unlock()
	d.changed.fire()
	p.OnClose(func(playwright.Page) { d.forget(id) })
}

func (d *driver) targetOf(p playwright.Page) (string, error) {
	session, err := d.context.NewCDPSession(p)
	if err != nil {
		return "", err
	}
	answer, err := session.Send("Target.getTargetInfo", nil)
	if err != nil {
		return "", err
	}
	if err := session.Detach(); err != nil {
		return "", err
	}
	fields, _ := answer.(map[string]any)
	info, _ := fields["targetInfo"].(map[string]any)
	id, ok := info["targetId"].(string)
	if !ok {
		return "", errors.New("page names no target")
	}
	return id, nil
}

func (d *driver) forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.pages, id)
}

// page returns nil for a target that the driver does not know, or not yet.
func (d *driver) page(targetID string) playwright.Page {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pages[targetID]
}

// watch asks the driver again and again whether it is there: Playwright tells nobody when its driver ends.
func (d *driver) watch() {
	defer close(d.gone)
	tick := time.NewTicker(driverPingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-d.stopped:
			return
		}
		if d.ping() != nil {
			return
		}
	}
}

func (d *driver) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), driverPingTimeout)
	defer cancel()
	return Do(ctx, func() error {
		_, err := d.session.Send("Browser.getVersion", nil)
		return err
	})
}

func (d *driver) closed() bool {
	select {
	case <-d.gone:
		return true
	default:
		return false
	}
}

// stop ends the driver process. It is called once.
func (d *driver) stop() {
	close(d.stopped)
	d.end()
}

func (d *driver) end() {
	if d.pw != nil {
		stopPlaywright(d.pw)
	}
	d.dir.remove()
}

// stopPlaywright closes the driver's input, upon which it ends by itself. What it would say last is of no use to anyone.
func stopPlaywright(pw *playwright.Playwright) {
	ctx, cancel := context.WithTimeout(context.Background(), driverStopTimeout)
	defer cancel()
	_ = Do(ctx, pw.Stop)
}
