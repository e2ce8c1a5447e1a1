/// The nouns of networks: addresses of IPv4 and IPv6, ranges of them, hardware addresses; parse, check, calculate, print.
///
/// Entry types: [carafe.spec.network.IpAddress], [carafe.spec.network.Cidr], [carafe.spec.network.MacAddress]. They never
/// know a resolver, a socket or a file: a name is never looked up, which the JDK's own address type does where a text is
/// no address. No thread of their own; immutable. Sources: RFC 4291, RFC 4632, RFC 5952.
@NullMarked
package carafe.spec.network;

import org.jspecify.annotations.NullMarked;
