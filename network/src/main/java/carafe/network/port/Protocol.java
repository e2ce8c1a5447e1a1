package carafe.network.port;

import carafe.spec.EngineException;
import java.util.Locale;

/// What is published.
public enum Protocol {
    TCP(6),
    UDP(17),
    SCTP(132);

    private final int number;

    Protocol(int number) {
        this.number = number;
    }

    /// By which packets name it. Source: IANA, protocol numbers.
    int number() {
        return number;
    }

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
