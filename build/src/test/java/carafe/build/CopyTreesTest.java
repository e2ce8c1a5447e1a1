package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.build.step.StepRunner;
import carafe.build.tree.FileSource;
import carafe.build.tree.LayerMember;
import carafe.build.tree.LayerTar;
import carafe.build.tree.Node;
import carafe.build.tree.RootView;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// What COPY and ADD do to files: each `trees/CASE/Dockerfile` is built from the files that `context` beside it lists, and
/// gives the root, or the error, that is written in `tree`. `-Dgolden=write` writes them anew.
///
/// Lines of `context`: `dir PATH MODE UID:GID`, `file PATH MODE UID:GID TEXT`, `link PATH TARGET` and
/// `tar PATH LINE; LINE` for an archive of such. The only program that RUN knows is `take MOUNTED NAME`, which writes what a
/// mounted file has into a file of the root.
class CopyTreesTest extends BuilderScene {

    private static final Path ROOT = Path.of(System.getProperty("carafe.root"), "build/src/test/resources/trees");
    private static final Node.Time TIME = new Node.Time(1_700_000_000, 0);

    @Override
    int play(StepRunner.StepRun run, StepRunner.Output output) throws EngineException {
        String[] words = run.arguments().getLast().split(" ");
        try (var root = RootView.writable(run.root())) {
            for (var mount : run.mounts()) {
                if (mount instanceof StepRunner.StepMount.Bind bind && words[1].startsWith(bind.target() + "/")) {
                    Path file = bind.source().resolve(words[1].substring(bind.target().length() + 1));
                    root.tree().writeFile(words[2], Files.readAllBytes(file), 0644, 0, 0);
                    return 0;
                }
            }
            return 1;
        } catch (IOException e) {
            throw new EngineException.Internal("the played program failed: " + e.getMessage(), e);
        }
    }

    @TestFactory
    Stream<DynamicTest> everyCopyGivesItsTree() throws IOException {
        return cases().stream().map(each -> DynamicTest.dynamicTest(String.valueOf(each.getFileName()), () -> {
            String tree = tree(Files.readString(each.resolve("Dockerfile")), Files.readAllLines(each.resolve("context")));
            Path golden = each.resolve("tree");
            if ("write".equals(System.getProperty("golden"))) {
                Files.writeString(golden, tree);
            }
            assertThat(tree).isEqualTo(Files.readString(golden));
        }));
    }

    @Test
    void thereAreManyCases() throws IOException {
        assertThat(cases()).hasSizeGreaterThanOrEqualTo(25);
    }

    private static List<Path> cases() throws IOException {
        try (var all = Files.list(ROOT)) {
            return all.sorted().toList();
        }
    }

    private String tree(String dockerfile, List<String> context) throws Exception {
        var members = members(context);
        members.add(file("Dockerfile", 0644, Node.Owner.ROOT, dockerfile.getBytes(StandardCharsets.UTF_8)));
        Digest image;
        try {
            var outcome = builder.build(request(), this::base, new LayerTar(members.iterator()), _ -> { });
            image = Digest.parse(outcome.imageId().orElseThrow());
        } catch (EngineException.Invalid e) {
            return "error: " + String.valueOf(e.getMessage()).lines().findFirst().orElse("") + "\n"; // without the lines of the file
        }
        try (var files = files(image)) {
            var text = new StringBuilder();
            list(files, "", text);
            return text.toString();
        }
    }

    private static void list(FileSource files, String directory, StringBuilder text) throws IOException {
        for (var node : files.list(directory)) {
            String about = String.format("%04o %d:%d %s", node.mode(), node.owner().uid(), node.owner().gid(), node.path());
            switch (node.type()) {
                case DIRECTORY -> {
                    text.append("dir  ").append(about).append('\n');
                    list(files, node.path(), text);
                }
                case FILE -> {
                    try (var in = files.open(node)) {
                        byte[] bytes = in.readAllBytes();
                        text.append("file ").append(about).append(" = ").append(bytes.length < 80
                                ? new String(bytes, StandardCharsets.UTF_8).strip() : bytes.length + " bytes").append('\n');
                    }
                }
                case SYMLINK -> text.append("link ").append(about.substring(5)).append(" -> ").append(node.target())
                        .append('\n');
                case SPECIAL -> text.append("special ").append(about).append('\n');
            }
        }
    }

    private static List<LayerMember> members(List<String> lines) throws IOException {
        var members = new ArrayList<LayerMember>();
        for (String line : lines) {
            String[] words = line.strip().split(" ", 3);
            String path = words[1];
            switch (words[0]) {
                case "dir" -> {
                    String[] rest = words[2].split(" ");
                    members.add(LayerMember.of(Node.directory(path, owner(rest[1]), Integer.parseInt(rest[0], 8), TIME),
                            LayerMember.Content.NONE));
                }
                case "file" -> {
                    String[] rest = words[2].split(" ", 3);
                    members.add(file(path, Integer.parseInt(rest[0], 8), owner(rest[1]),
                            rest[2].replace("\\n", "\n").getBytes(StandardCharsets.UTF_8)));
                }
                case "link" -> members.add(LayerMember.of(new Node(path, Node.Type.SYMLINK, Node.Owner.ROOT, 0777, 0, TIME,
                        words[2], Map.of()), LayerMember.Content.NONE));
                case "tar" -> {
                    try (var tar = new LayerTar(members(List.of(words[2].split(";"))).iterator())) {
                        members.add(file(path, 0644, Node.Owner.ROOT, tar.readAllBytes()));
                    }
                }
                default -> throw new AssertionError("what is " + line);
            }
        }
        return members;
    }

    private static LayerMember file(String path, int mode, Node.Owner owner, byte[] bytes) {
        return LayerMember.of(new Node(path, Node.Type.FILE, owner, mode, bytes.length, TIME, "", Map.of()), bytes);
    }

    private static Node.Owner owner(String text) {
        String[] numbers = text.split(":");
        return new Node.Owner(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
    }
}
