package carafe.hub.distribution;

import carafe.hub.access.Gate;
import carafe.hub.access.Identity;
import carafe.hub.access.Right;
import carafe.hub.store.Refusal;
import carafe.http.Exchange;
import carafe.http.Headers;
import carafe.http.Query;
import carafe.spec.Json;
import java.io.IOException;

/// One request, with who sent it.
record Call(Exchange exchange, Identity who, Gate gate) {

    /// Passes who has `right` in `repository`.
    void require(Right right, String repository) throws Refusal {
        gate.require(who, right, repository);
    }

    boolean allows(Right right, String repository) {
        return gate.allows(who, right, repository);
    }

    Query query() throws IOException {
        return exchange.query();
    }

    boolean is(String method) {
        return exchange.method().equals(method);
    }

    /// Fields sent with every answer, to be added to.
    static Headers.Builder fields() {
        return Errors.STANDARD.toBuilder();
    }

    /// Answers without a body.
    void empty(int status, Headers headers) throws IOException {
        exchange.respond(status, headers, new byte[0]);
    }

    /// Answers with a JSON document, whose length HEAD learns too.
    void json(int status, String type, Json document, Headers.Builder fields) throws IOException {
        bytes(status, fields.set("Content-Type", type).build(), document.printBytes());
    }

    /// Answers with `body`, whose length HEAD learns too.
    void bytes(int status, Headers headers, byte[] body) throws IOException {
        if (is("HEAD")) {
            exchange.respondStreaming(status, headers, body.length).close();
        } else {
            exchange.respond(status, headers, body);
        }
    }
}
