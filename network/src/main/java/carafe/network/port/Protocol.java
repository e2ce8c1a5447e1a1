package carafe.network.port;

import carafe.spec.EngineException;
import java.util.Locale;

/// What is published.
public enum Protocol {
    TCP,
    UDP,
    SCTP;

    /// The protocol called `word`, in any case; empty means TCP.
    public static Protocol of(String word) throws EngineException.Invalid {
        for (var protocol : values()) {
            if (word.equalsIgnoreCase(protocol.name()) || word.isEmpty() && protocol == TCP) {
                return protocol;
            }
        }
        throw new EngineException.Invalid("invalid protocol: " + word + " (tcp, udp and sctp can be published)");
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
