/// HTTP/1.1 over unix sockets, TCP and TLS: a server, a small client, and streams taken over from HTTP with half-close.
///
/// Entry types: [HttpServer] with a [Handler] for doors, [HttpClient] for the command and for registries.
/// It must never know what a container, an image or a JSON document is, nor decide anything by path.
/// A virtual thread per connection reads its requests and runs their handlers, blocking. The client runs on
/// its caller's thread. Spec: RFC 9110 and 9112, and the stream takeover ("hijack") of the Docker Engine API.
@NullMarked
package carafe.http;

import org.jspecify.annotations.NullMarked;
