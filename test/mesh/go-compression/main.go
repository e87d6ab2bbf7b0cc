// go-compression: unary calls by grpc-go for the tests, each on a connection of its own, and how many bytes they were there.
//
// The calls come on standard input, as a JSON array; the answers go to standard output in the same way. compression.spec.ts
// has the shapes. Messages are passed on as they are: it knows nothing of the contract. With the argument gzip it compresses its
// requests, and says that it reads compressed answers.
package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
)

const timeout = 30 * time.Second

type call struct {
	// host:port
	Address  string            `json:"address"`
	Path     string            `json:"path"`
	Metadata map[string]string `json:"metadata"`
	Request  []byte            `json:"requestBase64"`
}

type answer struct {
	Response []byte `json:"responseBase64"`
	Sent     size   `json:"sent"`
	Received size   `json:"received"`
	// Of the connection: HTTP/2, its headers, and the messages.
	BytesWritten int64  `json:"bytesWritten"`
	BytesRead    int64  `json:"bytesRead"`
	Error        string `json:"error,omitempty"`
}

// size is that of a message, before it is compressed and as it was on the wire.
type size struct {
	Message int `json:"message"`
	OnWire  int `json:"onWire"`
}

// A client says that it reads what is registered, at every call: so grpc's own, which registers itself, is not imported.
var compressed = len(os.Args) > 1 && os.Args[1] == "gzip"

func main() {
	if compressed {
		encoding.RegisterCompressor(gzipped{})
	}
	var calls []call
	if err := json.NewDecoder(os.Stdin).Decode(&calls); err != nil {
		log.Fatal(err)
	}
	answers := make([]*answer, len(calls))
	for i, call := range calls {
		answers[i] = &answer{}
		if err := call.make(answers[i]); err != nil {
			answers[i].Error = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func (c call) make(answer *answer) error {
	var counted *countedConn
	client, err := grpc.NewClient("passthrough:///"+c.Address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(&sizes{answer: answer}),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
			counted = &countedConn{Conn: conn}
			return counted, err
		}))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	options := []grpc.CallOption{grpc.ForceCodec(bytesAsTheyAre{})}
	if compressed {
		options = append(options, grpc.UseCompressor("gzip"))
	}
	err = client.Invoke(metadata.NewOutgoingContext(ctx, metadata.New(c.Metadata)), c.Path, &c.Request, &answer.Response, options...)
	client.Close()
	if counted != nil {
		answer.BytesWritten, answer.BytesRead = counted.written.Load(), counted.read.Load()
	}
	return err
}

type gzipped struct{}

func (gzipped) Name() string                                  { return "gzip" }
func (gzipped) Compress(to io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(to), nil }
func (gzipped) Decompress(from io.Reader) (io.Reader, error)  { return gzip.NewReader(from) }

type bytesAsTheyAre struct{}

func (bytesAsTheyAre) Name() string                        { return "proto" }
func (bytesAsTheyAre) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }
func (bytesAsTheyAre) Unmarshal(data []byte, into any) error {
	*into.(*[]byte) = append([]byte(nil), data...)
	return nil
}

type sizes struct{ answer *answer }

func (s *sizes) HandleRPC(_ context.Context, event stats.RPCStats) {
	switch payload := event.(type) {
	case *stats.OutPayload:
		s.answer.Sent = size{payload.Length, payload.CompressedLength}
	case *stats.InPayload:
		s.answer.Received = size{payload.Length, payload.CompressedLength}
	}
}

func (*sizes) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*sizes) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*sizes) HandleConn(context.Context, stats.ConnStats)                       {}

type countedConn struct {
	net.Conn
	read, written atomic.Int64
}

func (c *countedConn) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	c.read.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(from []byte) (int, error) {
	n, err := c.Conn.Write(from)
	c.written.Add(int64(n))
	return n, err
}
