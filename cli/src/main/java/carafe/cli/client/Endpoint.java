package carafe.cli.client;

import carafe.http.Address;

/// Where the engine is, and whether that is the place where an engine may be started.
///
/// @param shown how the user would write the address
/// @param isOwn nobody named an address: this is the default one, and an engine may be started there
public record Endpoint(Address address, String shown, boolean isOwn) {}
