package carafe.http;

/// What all connections of a server share.
record Service(
        ServerLimits limits, Handler handler, ErrorMapper errors, ResponseHead heads, TransferBuffers buffers) {}
