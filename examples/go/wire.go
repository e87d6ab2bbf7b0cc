package main

import (
	"fmt"
	"io"
	"net/http"
)

// wire puts the token on each call, and prints what its answer came over: the protocol and, at the end, the status.
type wire struct {
	transport http.RoundTripper
	token     string
}

func (w wire) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+w.token)
	response, err := w.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	fmt.Println(response.Proto, response.Status, request.URL.Path)
	response.Body = &body{response.Body, response}
	return response, nil
}

// body prints the gRPC status when it is closed: it stands behind the messages, in the trailers, and in the headers only
// of an answer that has no message. A stream that we end before the server does has none.
type body struct {
	io.ReadCloser
	response *http.Response
}

func (b *body) Close() error {
	if status := b.response.Trailer.Get("Grpc-Status"); status != "" {
		fmt.Println("    trailers: grpc-status", status)
	} else if status := b.response.Header.Get("Grpc-Status"); status != "" {
		fmt.Println("    headers: grpc-status", status)
	}
	return b.ReadCloser.Close()
}
