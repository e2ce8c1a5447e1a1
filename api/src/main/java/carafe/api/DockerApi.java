package carafe.api;

import carafe.engine.Engine;
import carafe.http.ErrorMapper;
import carafe.http.Exchange;
import carafe.http.Handler;
import carafe.http.Headers;
import carafe.spec.EngineException;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;

/// The Docker Engine API as one handler: cuts the version off the path, finds the route, and gives every answer the
/// header fields that clients read.
public final class DockerApi implements Handler {

    private static final Pattern VERSION = Pattern.compile("v[0-9.]+");

    private final Routes routes = new Routes();
    private final Headers standard;
    private final Errors errors;

    /// Speaks for `engine`; `product` is what it calls itself, `also` what a check of the storage reads too.
    public DockerApi(Engine engine, Product product, AlsoChecked also) {
        this.standard = Headers.of(
                "Api-Version", ApiVersion.CURRENT.toString(),
                "Docker-Experimental", "false",
                "Ostype", "linux",
                "Server", "Docker/" + product.version() + " (linux)");
        this.errors = new Errors(standard);
        new SystemRoutes(engine, product).addTo(routes);
        new ContainerRoutes(engine.containers()).addTo(routes);
        new StreamRoutes(engine).addTo(routes);
        new ExecRoutes(engine.execs()).addTo(routes);
        var transfers = new TransferRoutes(engine.transfers());
        transfers.addTo(routes);
        new RegistryRoutes(engine.transfers()).addTo(routes);
        new ImageRoutes(engine.images(), transfers).addTo(routes);
        new ImageFileRoutes(engine.images(), engine.containers()).addTo(routes);
        new StorageRoutes(engine, also).addTo(routes);
        new NetworkRoutes(engine.networks()).addTo(routes);
        new ArchiveRoutes(engine.containers()).addTo(routes);
        new VolumeRoutes(engine.volumes()).addTo(routes);
        new BuildRoutes(engine.builds()).addTo(routes);
        new ExplainRoutes(engine.containers()).addTo(routes);
    }

    /// What clients see of errors, of this API's and of the server's own.
    public ErrorMapper errors() {
        return errors;
    }

    @Override
    public void handle(Exchange exchange) throws Exception {
        if (exchange.method().equals("OPTIONS")) {
            exchange.respond(200, standard, new byte[0]);
            return;
        }
        List<String> segments = withoutTrailingSlash(exchange.segments());
        var version = ApiVersion.CURRENT;
        if (!segments.isEmpty() && VERSION.matcher(segments.getFirst()).matches()) {
            version = ApiVersion.parse(segments.getFirst().substring(1));
            segments = segments.subList(1, segments.size());
        }
        var match = routes.match(exchange.method(), segments);
        var call = new Call(exchange, version, match.names(), standard);
        try {
            match.action().run(call);
        } catch (EngineException e) {
            if (exchange.answered()) {
                throw new IOException(e); // too late for a status: the torn body tells
            }
            throw e;
        }
    }

    private static List<String> withoutTrailingSlash(List<String> segments) {
        int end = segments.size();
        while (end > 0 && segments.get(end - 1).isEmpty()) {
            end--;
        }
        return segments.subList(0, end);
    }
}
