package carafe.daemon;

import carafe.engine.UserIds;
import carafe.engine.UserIds.Pool;
import carafe.engine.UserIds.Taken;
import carafe.spec.EngineException.Invalid;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.RuntimeSpec.IdMapping;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How the host divides ids among its users, for containers: `subuid` and `subgid` say which each may give away.
/// Source: subuid(5), subgid(5), dockerd(8) "Starting the daemon with user namespaces enabled".
final class SubIds {

    /// Whose ids `--userns=auto` divides, where there are any.
    private static final String CONTAINERS = "containers";

    /// Whom `userns-remap=default` means.
    private static final String DEFAULT = "dockremap";

    private static final long ID_END = 0xFFFF_FFFFL;
    private static final int MAX_RANGES = 340;

    private static final Logger LOG = LoggerFactory.getLogger(SubIds.class);

    private final Path etc;
    private final List<Entry> uids;
    private final List<Entry> gids;

    private record Entry(String owner, long first, long size) {}

    private SubIds(Path etc) throws Invalid {
        this.etc = etc;
        uids = entries("subuid");
        gids = entries("subgid");
    }

    /// What the host whose files are in `etc` gives containers, with `remap` as the option `userns-remap` has it.
    static UserIds read(Path etc, Optional<String> remap) throws Invalid {
        var ids = new SubIds(etc);
        var pool = ids.pool();
        return new UserIds(remap.isEmpty() ? IdMaps.NONE : ids.remap(remap.get(), pool), pool);
    }

    private List<Entry> entries(String file) throws Invalid {
        var entries = new ArrayList<Entry>();
        for (String line : lines(file)) {
            String[] fields = line.strip().split(":", -1);
            if (line.isBlank() || line.startsWith("#") || fields.length != 3 || !fields[1].matches("[0-9]{1,10}")
                    || !fields[2].matches("[0-9]{1,10}")) {
                continue; // as the host's own tools do
            }
            long first = Long.parseLong(fields[1]);
            long size = Math.min(Long.parseLong(fields[2]), ID_END - first);
            if (size > 0) {
                entries.add(new Entry(fields[0], first, size));
            }
        }
        return entries;
    }

    /// A name that is no UTF-8 means nobody here, but its ids are somebody's.
    private List<String> lines(String file) throws Invalid {
        try {
            var lines = new String(Files.readAllBytes(etc.resolve(file)), StandardCharsets.UTF_8).lines().toList();
            lines.stream().filter(line -> line.indexOf('\uFFFD') >= 0).forEach(line -> LOG.warn(
                    "{} has a line that is no UTF-8, whose name can mean nobody: {}", etc.resolve(file),
                    line.replaceAll("[^ -~]", "?")));
            return lines;
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new Invalid("cannot read " + etc.resolve(file) + ": " + e.getMessage());
        }
    }

    private Pool pool() {
        var taken = new ArrayList<Taken>();
        for (var all : List.of(uids, gids)) {
            all.stream().filter(entry -> !entry.owner.equals(CONTAINERS))
                    .forEach(entry -> taken.add(new Taken(entry.first, entry.size)));
        }
        var uid = uids.stream().filter(entry -> entry.owner.equals(CONTAINERS)).findFirst();
        var gid = gids.stream().filter(entry -> entry.owner.equals(CONTAINERS)).findFirst();
        return uid.isPresent() && gid.isPresent()
                ? new Pool(uid.get().first, gid.get().first, Math.min(uid.get().size, gid.get().size), taken)
                : new Pool(UserIds.FIRST, UserIds.FIRST, UserIds.SIZE, taken);
    }

    private IdMaps remap(String option, Pool pool) throws Invalid {
        String[] words = option.split(":", -1);
        if (words.length > 2 || words[0].isEmpty()) {
            throw new Invalid("invalid userns-remap \"" + option + "\": default, user, user:group or their ids are meant");
        }
        boolean usual = option.equals("default");
        String user = usual ? DEFAULT : name(words[0], "passwd", "user");
        String group = usual ? DEFAULT : words.length > 1 ? name(words[1], "group", "group") : user;
        var userMap = map(uids, user);
        var groupMap = map(gids, group);
        if (usual && userMap.isEmpty() && groupMap.isEmpty()) { // nobody has ids by that name: the engine's own will do
            return IdMaps.range(pool.firstUid(), pool.firstGid(), Math.min(pool.size(), 65_536));
        }
        if (userMap.isEmpty()) {
            throw none("subuid", "user", user);
        }
        if (groupMap.isEmpty()) {
            throw none("subgid", "group", group);
        }
        var maps = new IdMaps(userMap, groupMap);
        maps.check();
        return maps;
    }

    private Invalid none(String file, String kind, String name) {
        return new Invalid("Can't create ID mappings: No " + file + " ranges found for " + kind + " \"" + name + "\": give it"
                + " some with a line like \"" + name + ":100000:65536\" in " + etc.resolve(file));
    }

    /// The name of a user or group that may be given by its number.
    private String name(String word, String file, String kind) throws Invalid {
        boolean number = word.matches("[0-9]{1,10}");
        for (String line : lines(file)) {
            String[] fields = line.split(":", -1);
            if (fields.length > 2 && (number ? fields[2] : fields[0]).equals(word)) {
                return fields[0];
            }
        }
        if (number) {
            return word; // subuid(5) takes numbers too
        }
        throw new Invalid("invalid userns-remap: there is no " + kind + " \"" + word + "\" in " + etc.resolve(file));
    }

    /// All ranges of `owner`, one behind the other inside.
    private static List<IdMapping> map(List<Entry> entries, String owner) {
        var map = new ArrayList<IdMapping>();
        long inside = 0;
        for (var entry : entries) {
            if (entry.owner.equals(owner) && map.size() < MAX_RANGES) {
                map.add(new IdMapping(inside, entry.first, entry.size));
                inside += entry.size;
            }
        }
        return map;
    }
}
