package carafe.engine;

import carafe.engine.transfer.ImageTransfers;
import carafe.registry.Patience;
import carafe.registry.Proxies;
import carafe.registry.Registries;
import carafe.registry.RegistryConfig;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// For engines that talk to no registry, or to one on this machine.
final class NoRegistries {

    private NoRegistries() {}

    static Engine.Remote remote() {
        var config = new RegistryConfig(List.of(), Map.of(), Optional.empty(), List.of(), Proxies.NONE, Patience.USUAL, "carafe/test");
        return new Engine.Remote(new Registries(config, Clock.systemUTC()), ImageTransfers.Limits.USUAL);
    }
}
