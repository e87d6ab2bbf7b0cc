// Sends a mail by gRPC over HTTP/3, tells what becomes of it, and finds it: four calls and a stream on one QUIC connection.
//
//	SGE_TOKEN=... go run . [recipient@example.com]
//
// SGE_EDGE_URL is the edge (https://localhost:8443), SGE_CA the file with its authority's certificate: left out, that of
// `npm start`; empty, the authorities that this machine trusts.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"
	"github.com/quic-go/quic-go/http3"
	"github.com/sky-genesis/api/examples/go/generated/skygenesis"
	"github.com/sky-genesis/api/examples/go/generated/skygenesis/skygenesisconnect"
)

func main() {
	recipient := "recipient@example.com"
	if len(os.Args) > 1 {
		recipient = os.Args[1]
	}
	// The deadline goes with every call, in grpc-timeout.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, recipient); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, recipient string) error {
	authorities, err := trusted(setting("SGE_CA", "../../.data/edge/tls/ca.pem"))
	if err != nil {
		return err
	}
	transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}}
	defer transport.Close()
	client := &http.Client{Transport: wire{transport, os.Getenv("SGE_TOKEN")}}
	edge := setting("SGE_EDGE_URL", "https://localhost:8443")
	mails := skygenesisconnect.NewMailServiceClient(client, edge, connect.WithGRPC())
	search := skygenesisconnect.NewSearchServiceClient(client, edge, connect.WithGRPC())

	// Where the events are now: who watches from here on misses nothing of the mail that is sent next.
	now, err := mails.ListEvents(ctx, &skygenesis.ListEventsRequest{})
	if err != nil {
		return err
	}

	sent, err := mails.SubmitEmail(ctx, &skygenesis.SubmitEmailRequest{
		Email: &skygenesis.Email{To: []string{recipient}, Subject: "Hello", Body: "This came over HTTP/3."},
		// A call that was cut off is safe to repeat with the same key: the mail is accepted once.
		IdempotencyKey: rand.Text(),
	})
	if err != nil {
		return err
	}
	fmt.Println("   ", sent.MessageId, "is", sent.Status)

	mail, err := mails.GetEmail(ctx, &skygenesis.GetEmailRequest{Id: sent.MessageId})
	if err != nil {
		return err
	}
	fmt.Printf("    from %s to %s: %q is %s\n", mail.Email.From, mail.Email.To, mail.Email.Subject, mail.Status)

	if err := watch(ctx, mails, &skygenesis.WatchEventsRequest{After: now.Cursor, MessageId: sent.MessageId}); err != nil {
		return err
	}

	found, err := search.Search(ctx, &skygenesis.SearchRequest{Query: "subject:hello", WaitForId: sent.MessageId, Sort: "newest", Limit: 1})
	if err != nil {
		return err
	}
	for _, result := range found.Results {
		fmt.Printf("    found %s: %q\n", result.Id, result.Title)
	}
	return nil
}

// watch prints the events of a mail until it is sent, and then ends the stream. A mail that ends otherwise is an error.
func watch(ctx context.Context, mails skygenesisconnect.MailServiceClient, from *skygenesis.WatchEventsRequest) error {
	events, err := mails.WatchEvents(ctx, from)
	if err != nil {
		return err
	}
	defer events.Close()
	for events.Receive() {
		for _, event := range events.Msg().Events {
			fmt.Println("   ", event.Type, event.Recipient, event.Detail)
			switch event.Type {
			case "email.sent":
				return nil
			case "email.bounced", "email.expired", "email.failed":
				return fmt.Errorf("the mail is not sent: %s", event.Detail)
			}
		}
	}
	return events.Err()
}

func setting(name, otherwise string) string {
	if value, isSet := os.LookupEnv(name); isSet {
		return value
	}
	return otherwise
}

// trusted is the authorities of a PEM file; without one nil, which stands for those of the machine.
func trusted(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the authority of the edge (SGE_CA): %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", file)
	}
	return pool, nil
}
