package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import carafe.spec.Json;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What `build`'s flags ask the engine for, and which of buildx's and the classic builder's are refused.
class BuildFlagsTest {

    @TempDir
    private Path directory;

    private final TestSession caller = new TestSession();

    private Json.Obj document(String... flags) throws Exception {
        var told = new ArrayList<Json.Obj>();
        try (var engine = new FakeEngine(directory)) {
            caller.environment.put("CARAFE_HOST", engine.host());
            engine.on("GET /_ping", 200, "OK").on("POST /build", exchange -> {
                var body = exchange.body();
                int length = ByteBuffer.wrap(body.readNBytes(4)).getInt();
                told.add(Json.parseObject(body.readNBytes(length)));
                body.transferTo(OutputStream.nullOutputStream());
                FakeEngine.answer(exchange, 400, "{\"message\":\"seen\"}");
            });
            assertThat(run(flags)).isEqualTo(1);
        }
        assertThat(told).as(caller.errors()).hasSize(1);
        return told.getFirst();
    }

    private int run(String... flags) {
        var words = Stream.of(Stream.of("build"), Stream.of(flags), Stream.of("https://files.example/context.tar"))
                .flatMap(each -> each).toArray(String[]::new);
        return Carafe.run(caller.session(words), _ -> false);
    }

    @Test
    void limitsOfTheClassicBuilderAreAskedFor() throws Exception {
        var asked = document("-c", "512", "--cpu-period", "100000", "--cpu-quota", "50000", "--cpuset-cpus", "0",
                "--cpuset-mems", "0", "-m", "64m", "--memory-swap", "-1", "--rm", "--force-rm", "--compress",
                "--disable-content-trust=false", "--isolation", "default");
        assertThat(asked.object("cpu").print()).isEqualTo(
                "{\"shares\":512,\"period\":100000,\"quota\":50000,\"cpus\":\"0\",\"memoryNodes\":\"0\"}");
        assertThat(asked.number("memory", 0)).isEqualTo(64 << 20);
        assertThat(asked.number("swap", 0)).isEqualTo(-1);
    }

    @Test
    void outputsGiveNamesAndAnnotationsAndFiltersMayHaveCommas() throws Exception {
        var asked = document("-t", "a", "-o", "type=image,name=b,push=true,annotation.x=y,annotation-index[linux/arm64].k.l=v,"
                + "compression=gzip", "-o", "type=oci,dest=x,name=a", "--annotation", "c=d", "--no-cache-filter", "one,two",
                "--no-cache-filter", "three");
        assertThat(asked.texts("tags")).containsExactly("a", "b");
        assertThat(asked.texts("annotations")).containsExactlyInAnyOrder("c=d", ":x=y", "index[linux/arm64]:k.l=v");
        assertThat(asked.texts("noCacheFilter")).containsExactly("one", "two", "three");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"--squash | --squash cannot be done", "--isolation=hyperv | Windows",
        "--security-opt=seccomp=unconfined | --allow security.insecure", "--policy=x | policies of sources",
        "--resource=memory=1g | say --memory", "--allow=device | invalid entitlement \"device\"",
        "--output=type=image,compression=zstd | compression=zstd is not known",
        "--output=type=image,push-by-digest=true | push-by-digest=true is not known",
        "--output=type=local,dest=d,name=x | name=x is not known", "--output=type=oci,tar=false | dest is required",
        "--output=type=oci,tar=maybe | say true or false",
        "--output=type=oci,compression=estargz | compression=estargz is not known",
        "--output=type=oci,compression=zstd,compression-level=23 | zstd has those from 0 to 22",
        "--output=type=oci,compression-level=10 | gzip has those from 0 to 9",
        "--output=type=docker,dest=x,compression-level=1 | says nothing of layers that are not compressed",
        "--output=type=oci,compression=zstd,oci-mediatypes=false | Docker's media types have none for zstd",
        "--output=type=oci,force-compression=perhaps | invalid value \"perhaps\" of force-compression",
        "--output=type=docker,compression=zstd | compression=zstd is not known", "--secret=id=a,srk=b | unexpected key 'srk'",
        "--secret=id=a,type=vault | unsupported secret type vault", "--annotation=layer:a=b | unknown annotation type",
        "--cache-to=type=registry,ref=r/a,max | \"max\" is no KEY=VALUE", "--cache-from=type=local,=x | \"=x\" is no KEY=VALUE",
        "--cache-to=type=inline,mounts=perhaps | mounts=perhaps is neither true nor false",
        "--call=check,format=yaml | unknown format \"yaml\"", "--call=check,outline | more than one call",
        "--call=check,fromat=json | unexpected key 'fromat'", "--call=check,ignorestatus=x | neither true nor false"})
    void whatCannotBeDoneIsRefusedByName(String flag, String said) {
        assertThat(run(flag)).isEqualTo(1);
        assertThat(caller.errors()).contains(said);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"--add-host=foo | bad format for add-host: \"foo\"",
        "--add-host=one:10.0.0.1,foo | bad format for add-host: \"foo\"",
        "--add-host=foo=bar | invalid IP address in add-host: \"bar\"", "--label==x | invalid key-value pair \"=x\": empty key",
        "--build-arg==x | invalid key-value pair \"=x\": empty key"})
    void whatIsMalformedIsRefusedBeforeAnythingIsDone(String flag, String said) {
        assertThat(run(flag)).isEqualTo(125);
        assertThat(caller.errors()).contains(said);
    }

    @Test
    void everyFlagOfBuildxAndTheClassicBuilderIsKnown() throws Exception {
        var known = Build.command("carafe build").flags();
        assertThat(List.of("add-host", "allow", "annotation", "attest", "build-arg", "build-context", "builder", "cache-from",
                "cache-to", "call", "cgroup-parent", "check", "debug", "file", "iidfile", "label", "load", "metadata-file",
                "network", "no-cache", "no-cache-filter", "output", "platform", "policy", "progress", "provenance", "pull",
                "push", "quiet", "resource", "sbom", "secret", "shm-size", "ssh", "tag", "target", "ulimit", "compress", "cpu-period",
                "cpu-quota", "cpu-shares", "cpuset-cpus", "cpuset-mems", "disable-content-trust", "force-rm", "isolation",
                "memory", "memory-swap", "rm", "security-opt", "squash")).allMatch(known::exists);
    }
}
