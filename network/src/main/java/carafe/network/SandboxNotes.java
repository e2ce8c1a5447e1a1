package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What this engine has put into the kernel for each container, one small file each below the run root, where nothing
/// outlives a reboot, as no link does. Written before a link is made, removed after it is gone.
final class SandboxNotes {

    private static final int MOST_BYTES = 1 << 20;
    private static final String TEMPORARY = ".new";

    private final Path directory;

    private SandboxNotes(Path directory) {
        this.directory = directory;
    }

    static SandboxNotes open(Path directory) throws EngineException {
        try {
            Files.createDirectories(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            return new SandboxNotes(directory);
        } catch (IOException e) {
            throw Trouble.of("cannot make the directory " + directory, e);
        }
    }

    /// The container's endpoints are these.
    void write(String containerId, List<Endpoint> endpoints) throws IOException {
        byte[] bytes = Json.object()
                .put("Endpoints", Json.ofAll(endpoints.stream().map(SandboxNotes::print).toList()))
                .build()
                .printBytes();
        Path file = directory.resolve(containerId);
        if (Files.exists(file)) {
            Path temporary = directory.resolve(containerId + TEMPORARY);
            Files.write(temporary, bytes);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } else {
            Files.write(file, bytes); // half a file is no note, and what it would tell of does not exist yet
        }
    }

    void remove(String containerId) throws IOException {
        Files.deleteIfExists(directory.resolve(containerId));
    }

    /// All notes by container. What is no note (half written when the engine died) goes.
    Map<String, List<Endpoint>> all() throws EngineException {
        var notes = new LinkedHashMap<String, List<Endpoint>>();
        try (var files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                String name = String.valueOf(file.getFileName());
                if (name.startsWith(BridgeNotes.PREFIX)) {
                    continue;
                }
                var endpoints = read(file);
                if (endpoints.isPresent() && !name.endsWith(TEMPORARY)) {
                    notes.put(name, endpoints.get());
                } else {
                    Files.deleteIfExists(file);
                }
            }
            return notes;
        } catch (IOException e) {
            throw Trouble.of("cannot read the directory " + directory, e);
        }
    }

    private static Optional<List<Endpoint>> read(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            var json = Json.parseObject(in.readNBytes(MOST_BYTES));
            var endpoints = new ArrayList<Endpoint>();
            for (var endpoint : json.objects("Endpoints")) {
                endpoints.add(parse(endpoint));
            }
            return Optional.of(endpoints);
        } catch (NoSuchFileException | EngineException.Invalid e) {
            return Optional.empty();
        }
    }

    static Json print(Endpoint endpoint) {
        var gateways = endpoint.gateways();
        return Json.object()
                .put("Id", endpoint.id())
                .put("Network", endpoint.networkId())
                .put("Interface", endpoint.interfaceName())
                .put("HostLink", endpoint.hostLink())
                .put("Mac", endpoint.mac().toString())
                .put("Four", endpoint.four().map(Cidr.Host::toString).orElse(""))
                .put("Six", endpoint.six().map(Cidr.Host::toString).orElse(""))
                .put("GatewayFour", gateways.four().map(IpAddress::toString).orElse(""))
                .put("GatewaySix", gateways.six().map(IpAddress::toString).orElse(""))
                .put("Priority", gateways.priority())
                .put("NetworkName", gateways.network())
                .put("LinkLocal", Json.ofTexts(endpoint.linkLocal().stream().map(IpAddress::toString).toList()))
                .put("Names", Json.ofTexts(endpoint.names()))
                .build();
    }

    static Endpoint parse(Json.Obj json) throws EngineException.Invalid {
        return new Endpoint(
                json.text("Id"),
                json.text("Network"),
                json.text("Interface"),
                json.text("HostLink"),
                MacAddress.parse(json.text("Mac")),
                Cidr.findHost(json.text("Four")),
                Cidr.findHost(json.text("Six")),
                new Endpoint.Gateways(
                        IpAddress.find(json.text("GatewayFour")),
                        IpAddress.find(json.text("GatewaySix")),
                        json.number("Priority", 0),
                        json.text("NetworkName")),
                NetworkCodec.addresses(json.texts("LinkLocal")),
                json.texts("Names"));
    }
}
