// go-http3: REST and gRPC calls over HTTP/3 for the tests, by quic-go. It shows what is on the wire: it follows no
// redirect, decodes no body, and makes up no status.
//
// A command a line comes on standard input, an answer a line goes to standard output, in JSON; go.wire.ts has their
// shapes. Answers come in any order, matched by id. SGE_EDGE_URL is the edge, SGE_CA the file with its authority's
// certificate. It ends with its standard input.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const (
	maxHeaderBytes = 128 << 10
	defaultTimeout = 30 * time.Second
)

type command struct {
	ID      int               `json:"id"`
	Kind    string            `json:"kind"` // rest, grpc, disconnect
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"` // gRPC's metadata too
	// How long it may take; of gRPC it is the deadline that the server is told.
	TimeoutMs int `json:"timeoutMs"`
	// Gives up by itself, in the way of HTTP/3: after so long, or after so many messages of the answer.
	CancelAfterMs        int `json:"cancelAfterMs"`
	CancelAfterResponses int `json:"cancelAfterResponses"`

	Method    string `json:"method"` // GET_0RTT: GET, in early data where the connection is a resumed one
	Body      []byte `json:"bodyBase64"`
	BodyBytes int64  `json:"bodyBytes"` // instead of a body: so many bytes of a pattern

	Requests [][]byte `json:"requests"`
	PingPong bool     `json:"pingPong"` // sends the next request when the answer to the one before has come
	KeepOpen bool     `json:"keepOpen"` // does not end its side when it has sent all
}

type answer struct {
	ID       int               `json:"id"`
	Proto    string            `json:"proto,omitempty"`
	Status   int               `json:"status,omitempty"` // of HTTP
	Headers  map[string]string `json:"headers,omitempty"`
	Trailers map[string]string `json:"trailers,omitempty"`
	// Whether the connection began with early data that the edge took.
	EarlyData bool `json:"earlyData,omitempty"`

	BodyBytes  int64  `json:"bodyBytes,omitempty"`
	BodySHA256 string `json:"bodySha256,omitempty"`
	Body       []byte `json:"bodyBase64,omitempty"` // only if it is small

	Responses [][]byte `json:"responses,omitempty"`

	// Why the answer is not whole.
	Error string `json:"error,omitempty"`
}

type edge struct {
	url       string
	transport *http3.Transport
	// The one that was made last.
	connection atomic.Pointer[quic.Conn]
}

func main() {
	pem, err := os.ReadFile(os.Getenv("SGE_CA"))
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatalf("no certificate in %s", os.Getenv("SGE_CA"))
	}
	edge := connectTo(os.Getenv("SGE_EDGE_URL"), roots)
	defer edge.transport.Close()

	commands, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	var writing sync.Mutex
	for {
		var command command
		if err := commands.Decode(&command); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		go func() {
			answer := edge.run(command)
			writing.Lock()
			defer writing.Unlock()
			if err := answers.Encode(answer); err != nil {
				log.Fatal(err)
			}
		}()
	}
}

func connectTo(url string, roots *x509.CertPool) *edge {
	edge := &edge{url: url}
	edge.transport = &http3.Transport{
		// A session that is kept is what a connection is resumed from.
		TLSClientConfig:        &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(1)},
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true,
		Dial: func(ctx context.Context, address string, security *tls.Config, config *quic.Config) (*quic.Conn, error) {
			connection, err := quic.DialAddrEarly(ctx, address, security, config)
			if err == nil {
				edge.connection.Store(connection)
			}
			return connection, err
		},
	}
	return edge
}

func (e *edge) run(command command) *answer {
	timeout := defaultTimeout
	if command.TimeoutMs > 0 {
		timeout = time.Duration(command.TimeoutMs) * time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if command.CancelAfterMs > 0 {
		defer time.AfterFunc(time.Duration(command.CancelAfterMs)*time.Millisecond, cancel).Stop()
	}
	answer := &answer{ID: command.ID}
	var err error
	switch command.Kind {
	case "rest":
		err = e.rest(ctx, command, timeout, answer)
	case "grpc":
		err = e.grpc(ctx, cancel, command, timeout, answer)
	case "disconnect":
		// The next call makes a connection, which resumes this one.
		e.transport.CloseIdleConnections()
	default:
		err = errors.New("no such kind of command: " + command.Kind)
	}
	if err != nil {
		answer.Error = err.Error()
	}
	return answer
}

// send sends a request, and tells what the head of the answer says.
func (e *edge) send(request *http.Request, headers map[string]string, answer *answer) (*http.Response, error) {
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := e.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	answer.Proto, answer.Status, answer.Headers = response.Proto, response.StatusCode, flat(response.Header)
	if connection := e.connection.Load(); connection != nil {
		answer.EarlyData = connection.ConnectionState().Used0RTT
	}
	return response, nil
}

// flat is header fields as they are on the wire: in lower case, those of one name joined.
func flat(fields http.Header) map[string]string {
	flat := make(map[string]string, len(fields))
	for name, values := range fields {
		flat[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return flat
}
