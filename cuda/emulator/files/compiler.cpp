// NVRTC on the emulated device: the host's C++ compiler, with a check before each access to memory.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "emulator.h"

namespace {

struct Program {
	std::string name, text, log, image;
};

std::string folder() {
	Dl_info info;
	dladdr((void *)folder, &info);
	std::string path = info.dli_fname;
	return path.substr(0, path.rfind('/'));
}

std::string read(const std::string &path) {
	std::ifstream in(path, std::ios::binary);
	std::stringstream all;
	all << in.rdbuf();
	return all.str();
}

int give(const std::string &from, char *to) {
	memcpy(to, from.c_str(), from.size() + 1);
	return 0;
}

} // namespace

extern "C" {

int nvrtcVersion(int *major, int *minor) {
	*major = 0;
	*minor = int(std::hash<std::string>()(folder()) % 1000000007); // the folder is named by what is in it
	return 0;
}
int nvrtcCreateProgram(void **p, const char *text, const char *name, int, const char **, const char **) {
	*p = new Program{name, text, "", ""};
	return 0;
}
int nvrtcDestroyProgram(void **p) { delete (Program *)*p; return 0; }

int nvrtcCompileProgram(void *p, int, const char **) {
	auto program = (Program *)p;
	std::string before, after;
	std::regex kernel("__global__\\s+void\\s+(?:__launch_bounds__\\((\\d+)[^)]*\\)\\s*)?(\\w+)\\s*\\(");
	for (std::sregex_iterator it(program->text.begin(), program->text.end(), kernel), end; it != end; ++it)
	{
		std::string name = (*it)[2].str(); // which may be one of the C library's too
		before += "#define " + name + " kernel_" + name + "\n";
		after += "EMULATED_KERNEL(" + name + ", " + ((*it)[1].matched ? (*it)[1].str() : "1024") + ")\n";
	}
	char place[] = "/tmp/aegis-compile-XXXXXX";
	if (!mkdtemp(place))
		return 6;
	std::string at = place;
	std::ofstream(at + "/kernel.cpp") << before << "#line 1 \"" << program->name << "\"\n" << program->text << "\n" << after;
	// The sanitizer's calls are answered by this library, so that it is not linked.
	std::string command = "cd " + at + " && { g++ $(cat " + folder() + "/flags) -include " + folder() + "/device.h -c kernel.cpp"
		" && g++ -shared -Wl,-Bsymbolic -o kernel.so kernel.o; } >log 2>&1";
	int code = system(command.c_str());
	program->log = read(at + "/log");
	program->image = code ? "" : read(at + "/kernel.so");
	if (system(("rm -rf " + at).c_str())) {
	}
	return code ? 6 : 0;
}
int nvrtcGetProgramLogSize(void *p, size_t *n) { *n = ((Program *)p)->log.size() + 1; return 0; }
int nvrtcGetProgramLog(void *p, char *to) { return give(((Program *)p)->log, to); }
int nvrtcGetCUBINSize(void *p, size_t *n) { *n = ((Program *)p)->image.size() + 1; return 0; }
int nvrtcGetCUBIN(void *p, char *to) { return give(((Program *)p)->image, to); }
int nvrtcGetPTXSize(void *p, size_t *n) { return nvrtcGetCUBINSize(p, n); }
int nvrtcGetPTX(void *p, char *to) { return nvrtcGetCUBIN(p, to); }
}
