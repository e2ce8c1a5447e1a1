package carafe.kernel;

/// An address (4 or 16 bytes) of the link with index `link`, in a range of that prefix.
public record AddressInfo(int link, byte[] address, int prefix) {}
