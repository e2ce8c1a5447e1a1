package carafe.cli.command;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The manifest lists that the caller is making, one file each in his settings, until they are pushed.
final class ManifestLists {

    private static final int MOST_BYTES = 4 << 20;

    private final Call call;

    ManifestLists(Call call) {
        this.call = call;
    }

    /// A manifest of a list: the full name it was added by, and the entry of the index that it will be.
    record Entry(String name, Json.Obj descriptor) {}

    private Path file(String list) {
        String safe = ImageName.full(list).replace("/", "_").replace(":", "-");
        return call.settingsDirectory().resolve("carafe-manifests").resolve(safe + ".json");
    }

    /// The entries of a list; empty when there is no such list.
    Optional<List<Entry>> read(String list) throws IOException, EngineException.Invalid {
        Path file = file(list);
        if (!call.session().files().exists(file)) {
            return Optional.empty();
        }
        try (var in = call.session().files().read(file)) {
            var entries = new ArrayList<Entry>();
            for (var each : Json.parseObject(in.readNBytes(MOST_BYTES)).objects("manifests")) {
                entries.add(new Entry(each.text("name"), each.object("descriptor")));
            }
            return Optional.of(entries);
        }
    }

    void write(String list, List<Entry> entries) throws IOException {
        var all = entries.stream()
                .map(entry -> Json.object().put("name", entry.name()).put("descriptor", entry.descriptor()).build())
                .toList();
        byte[] bytes = Json.object().put("manifests", Json.ofAll(all)).build().printIndented("  ")
                .getBytes(StandardCharsets.UTF_8);
        call.session().files().replacePrivately(file(list), bytes);
    }

    /// Forgets a list; whether there was one.
    boolean remove(String list) throws IOException {
        boolean there = call.session().files().exists(file(list));
        call.session().files().remove(file(list));
        return there;
    }
}
