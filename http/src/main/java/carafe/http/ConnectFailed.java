package carafe.http;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// No connection came about; nothing was sent.
public final class ConnectFailed extends IOException {

    private final transient Address address;

    /// `message` is a sentence that names the address and the reason.
    public ConnectFailed(Address address, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.address = address;
    }

    /// Where it tried.
    public Address address() {
        return address;
    }
}
