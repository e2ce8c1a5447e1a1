/// A service that greets.
///
/// It is one class, started by its `main`: the JDK's own HTTP server, and one library, so that there is something to fetch.
/// It must know nothing of containers: that it runs in one is the Dockerfile's matter.
///
/// Requests are answered one after the other, on the server's thread.
package example;
