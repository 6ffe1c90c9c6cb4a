from ..site.conftest import content, curriculum_folder, loaded

__all__ = ["content", "curriculum_folder", "loaded"]
