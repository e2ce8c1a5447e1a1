package carafe.cli.command;

import carafe.cli.client.EngineError;
import carafe.cli.client.Target;
import carafe.cli.flag.Flags;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Index;
import carafe.spec.oci.MediaTypes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// `manifest`: lists of images for several platforms, made from images that lie at a registry. The engine asks the
/// registry, so its certificates, mirrors and proxies count.
final class Manifest {

    private final Call call;
    private final ManifestLists lists;

    private Manifest(Call call) {
        this.call = call;
        this.lists = new ManifestLists(call);
    }

    static Command create(String path) {
        var command = Command.of(path, "MANIFEST_LIST MANIFEST [MANIFEST...]",
                "Create a local manifest list for annotating and pushing to a registry").words(2, Command.ANY);
        command.flags().bool("a,amend", "Amend an existing manifest list");
        insecure(command.flags());
        return command.does(call -> new Manifest(call).create());
    }

    static Command annotate(String path) {
        var command = Command.of(path, "[OPTIONS] MANIFEST_LIST MANIFEST",
                "Add additional information to a local image manifest").words(2, 2);
        var flags = command.flags();
        flags.text("arch", "Set architecture");
        flags.text("os", "Set operating system");
        flags.strings("os-features", "Set operating system feature");
        flags.text("os-version", "Set operating system version");
        flags.text("variant", "Set architecture variant");
        return command.does(call -> new Manifest(call).annotate());
    }

    static Command inspect(String path) {
        var command = Command.of(path, "[OPTIONS] [MANIFEST_LIST] MANIFEST",
                "Display an image manifest, or manifest list").words(1, 2);
        insecure(command.flags());
        command.flags().bool("v,verbose", "Output additional info including layers and platform");
        return command.does(call -> new Manifest(call).inspect());
    }

    static Command push(String path) {
        var command = Command.of(path, "[OPTIONS] MANIFEST_LIST", "Push a manifest list to a repository").words(1, 1);
        insecure(command.flags());
        command.flags().bool("p,purge", "Remove the local manifest list after push");
        return command.does(call -> new Manifest(call).push());
    }

    static Command remove(String path) {
        return Command.of(path, "MANIFEST_LIST [MANIFEST_LIST...]",
                        "Delete one or more manifest lists from local storage")
                .words(1, Command.ANY)
                .does(call -> new Manifest(call).remove());
    }

    private static void insecure(Flags flags) {
        flags.bool("insecure", "Allow communication with an insecure registry"); // the engine's settings say which are
    }

    private String checked(String image) throws Failure {
        String wrong = ImageName.mistake(image);
        if (!wrong.isEmpty()) {
            throw new Failure(1, "error parsing name for manifest list " + image + ": " + wrong);
        }
        return image;
    }

    private int create() throws Failure, EngineError, EngineException.Invalid, IOException {
        String list = checked(call.word(0));
        var entries = new ArrayList<ManifestLists.Entry>();
        var before = lists.read(list);
        if (before.isPresent()) {
            if (!call.flags().truth("amend")) {
                throw new Failure(1, "refusing to amend an existing manifest list with no --amend flag");
            }
            entries.addAll(before.get());
        }
        for (String image : call.words().subList(1, call.words().size())) {
            String full = ImageName.full(checked(image));
            entries.removeIf(entry -> entry.name().equals(full));
            entries.add(new ManifestLists.Entry(full, entry(image)));
        }
        lists.write(list, entries);
        call.session().println("Created manifest list " + ImageName.full(list));
        return 0;
    }

    /// What an index says of an image that lies at a registry.
    private Json.Obj entry(String image) throws Failure, EngineError, EngineException.Invalid, IOException {
        var document = fetch(image);
        if (MediaTypes.isIndex(document.text("mediaType"))) {
            throw new Failure(1, image + " is a manifest list");
        }
        byte[] bytes = document.text("document").getBytes(StandardCharsets.UTF_8);
        var config = carafe.spec.oci.Manifest.parse(bytes).config();
        var answer = call.engine().fetchOwn(Target.of("carafe/v1/registry/blob").with("name", image)
                .with("type", config.mediaType()).with("digest", config.digest().toString())
                .with("size", config.size()), auth(image));
        var said = Json.parseObject(answer.text("document").getBytes(StandardCharsets.UTF_8));
        var platform = Json.object().put("architecture", said.text("architecture")).put("os", said.text("os"));
        for (String more : new String[] {"variant", "os.version"}) {
            if (!said.text(more).isEmpty()) {
                platform.put(more, said.text(more));
            }
        }
        return Descriptor.of(document.text("mediaType"), bytes).toJson().with("platform", platform.build());
    }

    private String auth(String image) throws IOException {
        return call.credentials().header(ImageName.registry(image));
    }

    private Json.Obj fetch(String image) throws Failure, EngineError, EngineException.Invalid, IOException {
        try {
            return call.engine().fetchOwn(Target.of("carafe/v1/registry/manifest").with("name", image), auth(image));
        } catch (EngineError e) {
            if (e.isNotFound()) {
                throw new Failure(1, "no such manifest: " + ImageName.full(image));
            }
            throw e;
        }
    }

    private List<ManifestLists.Entry> existing(String list) throws Failure, IOException, EngineException.Invalid {
        Optional<List<ManifestLists.Entry>> entries = lists.read(checked(list));
        if (entries.isEmpty()) {
            throw new Failure(1, "No such manifest: " + ImageName.full(list));
        }
        return new ArrayList<>(entries.get());
    }

    private int annotate() throws Failure, EngineException.Invalid, IOException {
        var entries = existing(call.word(0));
        String image = ImageName.full(checked(call.word(1)));
        for (int i = 0; i < entries.size(); i++) {
            if (entries.get(i).name().equals(image)) {
                var descriptor = entries.get(i).descriptor();
                var annotated = descriptor.with("platform", platform(descriptor.object("platform")));
                entries.set(i, new ManifestLists.Entry(image, annotated));
                lists.write(call.word(0), entries);
                return 0;
            }
        }
        throw new Failure(1, "manifest for image " + call.word(1) + " does not exist in " + call.word(0));
    }

    private Json.Obj platform(Json.Obj before) {
        var flags = call.flags();
        var platform = before;
        for (String[] each : new String[][] {
            {"arch", "architecture"}, {"os", "os"}, {"variant", "variant"}, {"os-version", "os.version"}
        }) {
            if (!flags.text(each[0]).isEmpty()) {
                platform = platform.with(each[1], Json.of(flags.text(each[0])));
            }
        }
        return flags.list("os-features").isEmpty() ? platform
                : platform.with("os.features", Json.ofTexts(flags.list("os-features")));
    }

    private int inspect() throws Failure, EngineError, EngineException.Invalid, IOException {
        String image = checked(call.word(call.words().size() - 1));
        if (call.words().size() == 2) {
            String full = ImageName.full(image);
            for (var entry : existing(call.word(0))) {
                if (entry.name().equals(full)) {
                    call.session().println(entry.descriptor().printIndented("\t"));
                    return 0;
                }
            }
            throw new Failure(1, "No such manifest: " + full);
        }
        var local = lists.read(image);
        if (local.isPresent()) {
            call.session().println(document(local.get()).toJson().printIndented("\t"));
            return 0;
        }
        var document = fetch(image);
        byte[] bytes = document.text("document").getBytes(StandardCharsets.UTF_8);
        var json = Json.parseObject(bytes);
        if (call.flags().truth("verbose")) {
            json = Json.object().put("Ref", ImageName.full(image))
                    .put("Descriptor", Descriptor.of(document.text("mediaType"), bytes).toJson())
                    .put(MediaTypes.isIndex(document.text("mediaType")) ? "Index" : "Manifest", json).build();
        }
        call.session().println(json.printIndented("\t"));
        return 0;
    }

    private static Index document(List<ManifestLists.Entry> entries) throws EngineException.Invalid {
        var descriptors = new ArrayList<Descriptor>();
        boolean docker = true;
        for (var entry : entries) {
            var descriptor = Descriptor.fromJson(entry.descriptor());
            descriptors.add(descriptor);
            docker &= descriptor.mediaType().equals(MediaTypes.DOCKER_MANIFEST);
        }
        var index = Index.of(descriptors);
        return docker ? new Index(MediaTypes.DOCKER_INDEX, index.manifests(), index.annotations(), index.subject(),
                index.artifactType()) : index;
    }

    private int push() throws Failure, EngineError, EngineException.Invalid, IOException {
        String list = call.word(0);
        var entries = existing(list);
        var index = document(entries);
        var parts = new ArrayList<String>();
        for (var entry : entries) {
            String name = entry.name();
            int at = name.indexOf('@');
            String bare = at > 0 ? name.substring(0, at) : name.substring(0, name.lastIndexOf(':'));
            parts.add(bare + "@" + Descriptor.fromJson(entry.descriptor()).digest());
        }
        var body = Json.object()
                .put("mediaType", index.mediaType())
                .put("document", index.toJson().print())
                .put("parts", Json.ofTexts(parts))
                .build();
        var answer = call.engine().postOwn(
                Target.of("carafe/v1/registry/manifest").with("name", ImageName.full(list)), body, auth(list));
        call.session().println(answer.text("digest"));
        if (call.flags().truth("purge")) {
            lists.remove(list);
        }
        return 0;
    }

    private int remove() throws Failure, IOException {
        var missing = new ArrayList<String>();
        for (String list : call.words()) {
            if (!lists.remove(checked(list))) {
                missing.add("No such manifest: " + ImageName.full(list));
            }
        }
        if (!missing.isEmpty()) {
            throw new Failure(1, String.join("\n", missing));
        }
        return 0;
    }
}
