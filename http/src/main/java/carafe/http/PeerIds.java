package carafe.http;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.security.Principal;
import jdk.net.ExtendedSocketOptions;

/// Turns the names the JDK gives for a unix socket's peer back into numbers.
///
/// The JDK looks the numbers up and hides them. On Linux its principals hash to their number, which is not documented;
/// so the guess is checked by looking the number up again, and a wrong guess is an error, never a wrong identity.
final class PeerIds {

    private PeerIds() {}

    /// The peer of a connected unix socket. Source: unix(7), SO_PEERCRED.
    static PeerCredentials of(SocketChannel channel) throws IOException {
        var peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED);
        var lookup = FileSystems.getDefault().getUserPrincipalLookupService();
        int uid = guess(peer.user());
        int gid = guess(peer.group());
        if (!lookup.lookupPrincipalByName(Integer.toUnsignedString(uid)).equals(peer.user())
                || !lookup.lookupPrincipalByGroupName(Integer.toUnsignedString(gid)).equals(peer.group())) {
            throw new IOException("the numbers of the socket's peer cannot be told: " + peer);
        }
        return new PeerCredentials(uid, gid, peer.user().getName(), peer.group().getName());
    }

    private static int guess(Principal principal) {
        return principal.hashCode();
    }
}
