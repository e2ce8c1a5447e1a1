package carafe.image;

class HostileDirectoryLayersTest extends HostileLayerContract {

    HostileDirectoryLayersTest() {
        super(UnpackedLayer.Form.DIRECTORY);
    }
}
