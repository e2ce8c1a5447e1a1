package carafe.spec.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.build.BuildAnnotation.Place;
import carafe.spec.oci.Platform;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BuildAnnotationTest {

    private static final Platform ARM = Platform.of("linux", "arm64");
    private static final Platform AMD = Platform.of("linux", "amd64");

    private static BuildAnnotation of(Place place, String key, String value) {
        return new BuildAnnotation(place, Optional.empty(), key, value);
    }

    @Test
    void placesAndPlatformsAreReadAsBuildxWritesThem() throws Exception {
        assertThat(BuildAnnotation.parse("a=b=c:d")).containsExactly(of(Place.MANIFEST, "a", "b=c:d"));
        assertThat(BuildAnnotation.parse("a=")).containsExactly(of(Place.MANIFEST, "a", ""));
        assertThat(BuildAnnotation.parse("index:a:b=c")).containsExactly(of(Place.INDEX, "a:b", "c"));
        assertThat(BuildAnnotation.parse("index,manifest,index-descriptor:a=b")).containsExactly(of(Place.INDEX, "a", "b"),
                of(Place.MANIFEST, "a", "b"), of(Place.INDEX_DESCRIPTOR, "a", "b"));
        assertThat(BuildAnnotation.parse("manifest-descriptor[linux/arm64/v8],[amd64]:a=b")).containsExactly(
                new BuildAnnotation(Place.MANIFEST_DESCRIPTOR, Optional.of(ARM), "a", "b"),
                new BuildAnnotation(Place.MANIFEST, Optional.of(AMD), "a", "b"));
    }

    @Test
    void whatIsWrittenOtherwiseIsRefused() {
        for (var wrong : Map.of("a", "expected key=value", "=b", "expected key=value", "index:=b", "expected key=value",
                "layer:a=b", "unknown annotation type \"layer\"", "index[linux/amd64:a=b", "expected type and optional platform",
                "manifest[a/b/c/d]:a=b", "unknown operating system or architecture").entrySet()) {
            assertThatThrownBy(() -> BuildAnnotation.parse(wrong.getKey())).as(wrong.getKey())
                    .isInstanceOf(EngineException.Invalid.class).hasMessageContaining(wrong.getValue());
        }
    }

    @Test
    void oneForAPlatformGoesBeforeOneForAll() throws Exception {
        var all = BuildAnnotation.parseAll(List.of("manifest[linux/arm64]:a=arm", "a=all", "b=all", "index:a=index"));
        assertThat(BuildAnnotation.at(Place.MANIFEST, ARM, all)).isEqualTo(Map.of("a", "arm", "b", "all"));
        assertThat(BuildAnnotation.at(Place.MANIFEST, AMD, all)).isEqualTo(Map.of("a", "all", "b", "all"));
        assertThat(BuildAnnotation.at(Place.INDEX, AMD, all)).isEqualTo(Map.of("a", "index"));
        assertThat(BuildAnnotation.at(Place.MANIFEST_DESCRIPTOR, AMD, all)).isEmpty();
    }
}
