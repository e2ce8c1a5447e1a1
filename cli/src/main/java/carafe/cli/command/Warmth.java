package carafe.cli.command;

import java.util.List;
import java.util.Set;

/// Which commands may run in a JVM that others share: those that move little themselves. What carries whole trees or archives
/// through the command (cp, save, load, export, a build's output) or asks programs of the caller's for credentials
/// (login, push, search) has a JVM of its own, which that work outlasts by far; so has a build with ssh keys in files, which are
/// read with the caller's rights.
public final class Warmth {

    private static final Set<String> GROUPS = Set.of("builder", "container", "image", "network", "system", "volume");

    private static final Set<String> TAKEN = Set.of(
            "attach", "build", "commit", "create", "exec", "history", "images", "info", "inspect", "kill", "pause", "port",
            "ps", "rename", "restart", "rm", "rmi", "run", "start", "stop", "tag", "top", "unpause", "version", "wait");

    private static final Set<String> TAKEN_OF_GROUPS = Set.of(
            "builder build", "builder du", "builder prune",
            "container attach", "container commit", "container create", "container exec", "container inspect",
            "container kill", "container list", "container ls", "container pause", "container port", "container ps",
            "container remove", "container rename", "container restart", "container rm", "container run",
            "container start", "container stop", "container top", "container unpause", "container wait",
            "image build", "image history", "image inspect", "image list", "image ls", "image prune", "image rm",
            "image remove", "image tag",
            "network connect", "network create", "network disconnect", "network inspect", "network list", "network ls",
            "network prune", "network remove", "network rm",
            "system df", "system info",
            "volume create", "volume inspect", "volume list", "volume ls", "volume prune", "volume remove",
            "volume rename", "volume rm", "volume update");

    private Warmth() {}

    /// Whether these words, the command's name first, are such a command.
    public static boolean takes(List<String> words) {
        if (words.isEmpty()) {
            return false;
        }
        String first = words.getFirst();
        boolean grouped = GROUPS.contains(first);
        String name = grouped && words.size() > 1 ? first + " " + words.get(1) : first;
        if (!(grouped ? TAKEN_OF_GROUPS : TAKEN).contains(name)) {
            return false;
        }
        return !isLarge(words) || words.stream().noneMatch(Warmth::carriesFiles) && !namesKeys(words);
    }

    /// A build's `--ssh` that names files, which may be keys, and not the caller's agent.
    private static boolean namesKeys(List<String> words) {
        for (int i = 0; i < words.size(); i++) {
            String value = words.get(i).equals("--ssh") && i + 1 < words.size() ? words.get(i + 1)
                    : words.get(i).startsWith("--ssh=") ? words.get(i).substring("--ssh=".length()) : "";
            if (value.contains("=")) {
                return true;
            }
        }
        return false;
    }

    /// A build's context or file from standard input, and its output.
    private static boolean carriesFiles(String word) {
        return word.equals("-") || word.startsWith("--output") || word.matches("-[qD]*o.*");
    }

    /// Whether it may want much memory: it lists whole directories.
    public static boolean isLarge(List<String> words) {
        return isBuild(words, 0) || words.size() > 1 && GROUPS.contains(words.getFirst()) && isBuild(words, 1);
    }

    /// Whether it may want the caller's credentials for registries.
    public static boolean needsCredentials(List<String> words) {
        String name = words.size() > 1 && GROUPS.contains(words.getFirst()) ? words.get(1) : words.getFirst();
        return name.equals("build") || name.equals("create") || name.equals("run");
    }

    private static boolean isBuild(List<String> words, int at) {
        return words.size() > at && words.get(at).equals("build");
    }
}
