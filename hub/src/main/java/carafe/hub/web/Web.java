package carafe.hub.web;

import carafe.hub.access.Identity;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.http.Exchange;
import java.io.IOException;
import java.util.List;

/// Answers everything that is not the registry protocol.
public final class Web {

    /// Who asks, found out when somebody needs to know.
    @FunctionalInterface
    public interface Asker {
        /// Who asks.
        /// @throws Refusal what he showed is not right
        Identity who() throws Refusal;
    }

    /// Answers a request; `path` is decoded.
    public void handle(Exchange exchange, Asker asker, List<String> path) throws IOException, Refusal {
        throw new Refusal(Reason.UNSUPPORTED, "there is nothing here");
    }
}
