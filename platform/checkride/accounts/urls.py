from django.urls import path

from checkride.accounts import views

app_name = "accounts"
urlpatterns = [
    path("settings/", views.account_settings, name="settings"),
    path("data/", views.export, name="export"),
    path("erase/", views.erase, name="erase"),
]
