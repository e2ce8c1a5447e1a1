package carafe.http;

/// Answers requests. Called on the virtual thread of the request's connection, so it may block.
@FunctionalInterface
public interface Handler {

    /// Must answer `exchange` by exactly one of its respond or upgrade methods before it returns. A streamed answer or
    /// an upgraded stream it left open is closed then.
    /// What it throws before answering goes to the server's [ErrorMapper]; what it throws afterwards cuts the
    /// connection, so that the client sees a torn body instead of a complete one.
    void handle(Exchange exchange) throws Exception;
}
